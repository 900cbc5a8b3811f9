/** Says of each warning whether it is new: every attempt and every item of a stage would say it again. */
export function newsFilter(): (warning: { path: string; message: string }) => boolean {
  const said = new Set<string>();
  return ({ path, message }) => {
    const before = said.size;
    return said.add(JSON.stringify([path, message])).size > before;
  };
}
