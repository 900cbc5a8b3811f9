/**
 * What a pixel's answer is made of, as JSON in the model, so that a file of the model can be written without the
 * application that trained it. Channels are named as a reader of the file sees them.
 */
export type ImageAnswer =
  | {
      /** x − net(x − 0.5), clipped to 0…1: `input` is brightness; with `level` one more channel of the network holds it. */
      kind: 'residual';
      input: string;
      output: string;
      channels: number;
      level: boolean;
    }
  | {
      /** scale · net((x − center) / center): with `hints` the network also sees two values over `scale`, and where they are known. */
      kind: 'scaled';
      input: string;
      output: string;
      center: number;
      scale: number;
      hints: boolean;
    }
  | {
      /** Mean of `centers` `[q, channels]` by softmax(net / temperature). */
      kind: 'mixture';
      input: string;
      output: string;
      center: number;
      scale: number;
      hints: boolean;
      centers: number[];
      channels: number;
      temperature: number;
    };
