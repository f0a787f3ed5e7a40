// What is put in place of functions that a host lacks. Each is ES5, and does what the package and a plain app need of it:
// lists are arrays or typed arrays, since a host that lacks these has no iterators.

const list = (type: string): string =>
  `function (list, map) { var it = new ${type}(list.length);
    for (var i = 0; i < list.length; i++) it[i] = map ? map(list[i], i) : list[i]; return it; }`;

const of = (type: string): string =>
  `function () { var it = new ${type}(arguments.length);
    for (var i = 0; i < arguments.length; i++) it[i] = arguments[i]; return it; }`;

const fill = `function (value, start, end) { var to = end === undefined ? this.length : end;
    for (var i = start || 0; i < to; i++) this[i] = value; return this; }`;

/** By name: a function's own, or that of a method, which is patched in where the host really has none. */
export const POLYFILLS: Readonly<Record<string, string>> = {
  'Array.from': list('Array'),
  'Array.of': of('Array'),
  'Array.prototype.fill': fill,
  'Array.prototype.find': `function (test) {
    for (var i = 0; i < this.length; i++) if (test(this[i], i, this)) return this[i]; }`,
  'Array.prototype.findIndex': `function (test) {
    for (var i = 0; i < this.length; i++) if (test(this[i], i, this)) return i; return -1; }`,
  'Array.prototype.includes': 'function (it) { return this.indexOf(it) >= 0; }',
  'Math.imul': `function (a, b) {
    return ((a & 65535) * b + (((a >>> 16) * b & 65535) << 16)) | 0; }`,
  'Math.sign': 'function (it) { return it > 0 ? 1 : it < 0 ? -1 : +it; }',
  'Math.trunc': 'function (it) { return it < 0 ? Math.ceil(it) : Math.floor(it); }',
  'Number.isFinite': 'function (it) { return typeof it === "number" && isFinite(it); }',
  'Number.isInteger': 'function (it) { return typeof it === "number" && isFinite(it) && Math.floor(it) === it; }',
  'Number.isNaN': 'function (it) { return it !== it; }',
  'Number.isSafeInteger': `function (it) {
    return typeof it === "number" && Math.floor(it) === it && Math.abs(it) <= 9007199254740991; }`,
  'Number.parseInt': 'function (text, base) { return parseInt(text, base); }',
  'Object.assign': `function (target) { for (var i = 1; i < arguments.length; i++) { var from = arguments[i];
    for (var name in from) target[name] = from[name]; } return target; }`,
  'Object.entries': 'function (it) { return Object.keys(it).map(function (name) { return [name, it[name]]; }); }',
  'Object.freeze': 'function (it) { return it; }',
  'Object.hasOwn': 'function (it, name) { return Object.prototype.hasOwnProperty.call(it, name); }',
  'Object.values': 'function (it) { return Object.keys(it).map(function (name) { return it[name]; }); }',
  // Espruino's own takes the low eight bits of a code. Where a text can hold more, asUTF8() makes a character of its bytes.
  'String.fromCharCode': `function (code, low) { var byte = String.fromCharCode; 
    if (code < 256 || "\\u0100".charCodeAt(0) < 256) return byte(code);
    if (low) code = ((code & 1023) << 10) + (low & 1023) + 65536;
    return E.asUTF8((code < 2048 ? byte(code >> 6 | 192) : (code < 65536 ? byte(code >> 12 | 224) :
      byte(code >> 18 | 240) + byte(code >> 12 & 63 | 128)) + byte(code >> 6 & 63 | 128)) + byte(code & 63 | 128)); }`,
  'String.prototype.endsWith': `function (end) { return this.slice(-end.length) === end || end === ""; }`,
  'String.prototype.includes': 'function (part) { return this.indexOf(part) >= 0; }',
  'String.prototype.padStart': `function (length, pad) { var it = String(this); var by = pad === undefined ? " " : pad;
    var front = ""; while (by && front.length + it.length < length) front += by;
    return front.slice(0, Math.max(0, length - it.length)) + it; }`,
  'String.prototype.repeat': 'function (count) { var it = ""; while (count-- > 0) it += this; return it; }',
  'String.prototype.startsWith': 'function (begin) { return this.slice(0, begin.length) === begin; }',
  'Uint32Array.from': list('Uint32Array'),
  'Uint32Array.prototype.fill': fill,
  'Uint8Array.from': list('Uint8Array'),
  'Uint8Array.of': of('Uint8Array'),
  'Uint8Array.prototype.fill': fill,
  'Uint8Array.prototype.slice': 'function (start, end) { return new Uint8Array(this.subarray(start, end)); }',
};
