// The text that installs files on Espruino when it is sent to its console: each line writes a piece into flash, none is echoed.

/** Characters of a file in one line: what its console takes without losing any. */
const PIECE = 512;

/** Turns the echo of this line off. */
const SILENT = '\x10';

/** A binary string as source text that is all ASCII. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(/\\u00(..)|[\x7f-\xff]/g, (it, code) => `\\x${code ?? it.charCodeAt(0).toString(16)}`);

/** @param files by name, at most 28 characters each @returns lines for Espruino's console */
export function upload(files: Readonly<Record<string, string>>): string {
  const lines: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    if (name.length === 0 || name.length > 28) throw new Error(`${name} must have 1 to 28 characters`);
    const bytes = Buffer.from(text).toString('latin1');
    if (bytes.length === 0) throw new Error(`${name} is empty: Espruino keeps no empty file`);
    for (let at = 0; at < bytes.length; at += PIECE) {
      const size = at === 0 ? `,${bytes.length}` : '';
      lines.push(`require("Storage").write("${name}",${quote(bytes.slice(at, at + PIECE))},${at}${size})`);
    }
  }
  return lines.map((it) => `${SILENT}${it}\n`).join('');
}
