import protobuf from 'protobufjs/light.js';

/** The part of TensorFlow's graph.proto and saved_model.proto that graphs of ours need. Field numbers are the format's. */
const DESCRIPTOR = {
  nested: {
    SavedModel: {
      fields: {
        schemaVersion: { type: 'int64', id: 1 },
        metaGraphs: { rule: 'repeated', type: 'MetaGraphDef', id: 2 },
      },
    },
    MetaGraphDef: {
      fields: { info: { type: 'MetaInfoDef', id: 1 }, graphDef: { type: 'GraphDef', id: 2 } },
    },
    MetaInfoDef: { fields: { tags: { rule: 'repeated', type: 'string', id: 4 } } },
    GraphDef: {
      fields: {
        node: { rule: 'repeated', type: 'NodeDef', id: 1 },
        versions: { type: 'VersionDef', id: 4 },
      },
    },
    VersionDef: { fields: { producer: { type: 'int32', id: 1 } } },
    NodeDef: {
      fields: {
        name: { type: 'string', id: 1 },
        op: { type: 'string', id: 2 },
        input: { rule: 'repeated', type: 'string', id: 3 },
        attr: { keyType: 'string', type: 'AttrValue', id: 5 },
      },
    },
    AttrValue: {
      // Alternatives are written even when they are 0 or false.
      oneofs: { value: { oneof: ['list', 's', 'i', 'f', 'b', 'type', 'shape', 'tensor'] } },
      fields: {
        list: { type: 'ListValue', id: 1 },
        s: { type: 'bytes', id: 2 },
        i: { type: 'int64', id: 3 },
        f: { type: 'float', id: 4 },
        b: { type: 'bool', id: 5 },
        type: { type: 'int32', id: 6 },
        shape: { type: 'TensorShapeProto', id: 7 },
        tensor: { type: 'TensorProto', id: 8 },
      },
      nested: { ListValue: { fields: { i: { rule: 'repeated', type: 'int64', id: 3 } } } },
    },
    TensorShapeProto: {
      fields: { dim: { rule: 'repeated', type: 'Dim', id: 2 } },
      nested: { Dim: { fields: { size: { type: 'int64', id: 1 } } } },
    },
    TensorProto: {
      fields: {
        dtype: { type: 'int32', id: 1 },
        tensorShape: { type: 'TensorShapeProto', id: 2 },
        tensorContent: { type: 'bytes', id: 4 },
      },
    },
  },
};

const root = protobuf.Root.fromJSON(DESCRIPTOR);

/** TensorFlow's element types. */
export const TF_TYPES = { float32: 1, int32: 3, bool: 10, resource: 20 } as const;
export type TfType = keyof typeof TF_TYPES;

interface TensorShapeProto {
  dim: { size: number }[];
}

export type AttrValue =
  | { list: { i: number[] } }
  | { s: Uint8Array }
  | { i: number }
  | { f: number }
  | { b: boolean }
  | { type: number }
  | { shape: TensorShapeProto }
  | { tensor: { dtype: number; tensorShape: TensorShapeProto; tensorContent: Uint8Array } };

export interface NodeDef {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, AttrValue>;
}

/** Version of the graph format that the node definitions are written in (TensorFlow 2.21). */
const PRODUCER = 1882;

/** The tag under which a saved model's graph is found. */
export const SERVE = 'serve';

/** The file `saved_model.pb` of a graph without stored variables. */
export function encodeSavedModel(node: readonly NodeDef[]): Uint8Array {
  return root
    .lookupType('SavedModel')
    .encode({
      schemaVersion: 1,
      metaGraphs: [{ info: { tags: [SERVE] }, graphDef: { node, versions: { producer: PRODUCER } } }],
    })
    .finish();
}
