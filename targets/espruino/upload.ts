// The expressions that write files into Espruino's flash, a piece each. In order: a later piece goes behind an earlier one.

/** Characters of a file in one expression: less than what the smallest board has room for. */
const PIECE = 4_096;

/** Of `Storage`, in bytes. */
const MAX_NAME = 28;

/** A binary string as source text that is all ASCII. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(/\\u00(..)|[\x7f-\xff]/g, (it, code) => `\\x${code ?? it.charCodeAt(0).toString(16)}`);

/** @param files by name, 1 to 28 characters each */
export function upload(files: Readonly<Record<string, string>>): string[] {
  const expressions: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    if (name.length === 0 || name.length > MAX_NAME) throw new Error(`${name} must have 1 to ${MAX_NAME} characters`);
    const bytes = Buffer.from(text).toString('latin1');
    if (bytes.length === 0) throw new Error(`${name} is empty: Espruino keeps no empty file`);
    for (let at = 0; at < bytes.length; at += PIECE) {
      const size = at === 0 ? `,${bytes.length}` : '';
      expressions.push(`require("Storage").write("${name}",${quote(bytes.slice(at, at + PIECE))},${at}${size})`);
    }
  }
  return expressions;
}
