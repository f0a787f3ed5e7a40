// Licence notices stand at the end of what esbuild makes. They are set aside while the text is compiled and minified, which
// would lose them, and put at the end again.

/** All the notices at the end. */
const END = /(?:\s*\/\*![\s\S]*?\*\/)+\s*$/;

/** What esbuild puts around the notices of packages, and around each of those. */
const WRAPPED = /\/\*! Bundled license information:\n[\s\S]*?\*\/\n?/;
const NOTICE = /^ {2}\(\*!(.*)\*\)$/gm;

/** Takes notices of one line out of what is around them: ours name their package themselves. */
const unwrap = (block: string): string => {
  const notices = [...block.matchAll(NOTICE)].map(([, text]) => `/*!${text}*/\n`);
  return notices.length === block.split('(*').length - 1 ? notices.join('') : block;
};

export function takeNotices(text: string): { readonly code: string; readonly notices: string } {
  const [end = ''] = END.exec(text) ?? [];
  return { code: text.slice(0, text.length - end.length), notices: end.trim().replace(WRAPPED, unwrap) };
}
