// Typed arrays for a host that has none, as text in ES5: what the package and a plain app need of them. An index is a pair of
// accessors of the prototype, over bytes that views share, so that values wrap as they should; there are as many indices as
// the longest array so far has elements.

/** A kind of array whose elements are unsigned integers of so many bytes, least significant byte first. */
const kind = (name: string, size: 1 | 2 | 4): string => `
  function ${name}(from, offset, count) {
    var list = typeof from === 'object' && !(from instanceof ArrayBuffer) ? from : undefined;
    var length = typeof from !== 'object' ? from || 0 : list ? list.length
      : count === undefined ? (from.byteLength - (offset || 0)) / ${size} : count;
    this.byteOffset = list || typeof from !== 'object' ? 0 : offset || 0;
    this.buffer = list || typeof from !== 'object' ? new ArrayBuffer(length * ${size}) : from;
    if (!(length >= 0 && this.byteOffset + length * ${size} <= this.buffer.byteLength)) throw new RangeError('length');
    this.length = length;
    this.byteLength = length * ${size};
    for (; ${name}.indices < length; ${name}.indices++) typedIndex(${name}.prototype, ${name}.indices, ${size});
    if (list) this.set(list);
  }
  ${name}.indices = 0;
  ${name}.BYTES_PER_ELEMENT = ${size};
  ${name}.prototype = Object.create(typedMethods);
  ${name}.prototype.constructor = ${name};`;

export const TYPED_ARRAYS = `
  function ArrayBuffer(length) {
    this.byteLength = length;
    this.bytes = [];
    for (var i = 0; i < length; i++) this.bytes[i] = 0;
  }
  ArrayBuffer.isView = function (it) { return it instanceof DataView || typedMethods.isPrototypeOf(it); };
  function typedRead(bytes, at, size) {
    var value = 0;
    for (var i = size; i-- > 0; ) value = value * 256 + bytes[at + i];
    return value;
  }
  function typedWrite(bytes, at, size, value) {
    for (var i = 0; i < size; i++) bytes[at + i] = (value >>> (8 * i)) & 255;
  }
  function typedIndex(prototype, index, size) {
    Object.defineProperty(prototype, index, {
      get: function () {
        if (index < this.length) return typedRead(this.buffer.bytes, this.byteOffset + index * size, size);
      },
      set: function (value) {
        if (index < this.length) typedWrite(this.buffer.bytes, this.byteOffset + index * size, size, value);
      }
    });
  }
  var typedMethods = {
    set: function (list, offset) {
      var start = offset || 0, copy = [], i;
      if (start < 0 || start + list.length > this.length) throw new RangeError('offset');
      for (i = 0; i < list.length; i++) copy[i] = list[i];
      for (i = 0; i < copy.length; i++) this[start + i] = copy[i];
    },
    subarray: function (start, end) {
      var length = this.length;
      function within(it, or) { return it === undefined ? or : it < 0 ? Math.max(0, length + it) : Math.min(it, length); }
      var from = within(start, 0);
      var size = this.constructor.BYTES_PER_ELEMENT;
      return new this.constructor(this.buffer, this.byteOffset + from * size, Math.max(0, within(end, length) - from));
    }
  };
  ${kind('Uint8Array', 1)}
  ${kind('Uint16Array', 2)}
  ${kind('Uint32Array', 4)}
  function DataView(buffer, offset, length) {
    this.buffer = buffer;
    this.byteOffset = offset || 0;
    this.byteLength = length === undefined ? buffer.byteLength - this.byteOffset : length;
    if (this.byteOffset + this.byteLength > buffer.byteLength) throw new RangeError('length');
  }
  function typedField(name, size) {
    function place(view, at) {
      if (!(at >= 0 && at + size <= view.byteLength)) throw new RangeError('offset');
      return view.byteOffset + at;
    }
    function reversed(bytes) { return bytes.slice().reverse(); }
    DataView.prototype['get' + name] = function (at, little) {
      var from = place(this, at);
      var bytes = this.buffer.bytes.slice(from, from + size);
      return typedRead(little ? bytes : reversed(bytes), 0, size);
    };
    DataView.prototype['set' + name] = function (at, value, little) {
      var from = place(this, at), bytes = [];
      typedWrite(bytes, 0, size, value);
      if (!little) bytes = reversed(bytes);
      for (var i = 0; i < size; i++) this.buffer.bytes[from + i] = bytes[i];
    };
  }
  typedField('Uint8', 1);
  typedField('Uint16', 2);
  typedField('Uint32', 4);`;
