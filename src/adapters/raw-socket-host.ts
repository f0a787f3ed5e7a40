// What a host in C, or any other, gives to a bare engine so that it has sockets: five functions, and one that the host calls.
// The host keeps numbers and bytes, one timer and a loop; everything else is the adapter's (raw-socket.ts).

/**
 * What the host gives. It calls {@link RawSocketAdapter.event} from its loop, not from inside one of these. Any of them may
 * throw: what fails is the connection, and the client dials again.
 */
export interface RawSocketHost {
  /**
   * Begins to open a connection to a host name or an address, without waiting for it. Returns a handle of the host's choice,
   * 0 to 2^31 - 1, not in use at the moment; or a negative number where it cannot even begin. `Opened` or `Closed` follows.
   */
  open(host: string, port: number): number;
  /**
   * Takes bytes from the front, as many as there is room for, and returns how many: 0 to bytes.length. They are sent in
   * order; the array is not kept. `Writable` follows once there is room again. A negative number: the connection has failed.
   */
  send(handle: number, bytes: Uint8Array): number;
  /** Carries out one of {@link RawControl}. */
  control(handle: number, command: number): void;
  /** A monotonic clock: milliseconds since any moment, fractions allowed. Never set back, whatever the time of day does. */
  now(): number;
  /** Sets the one timer: `Wake` comes once after so many milliseconds, 0 to 2^31 - 1, instead of what was set before; -1: never. */
  wake(millis: number): void;
}

/** What {@link RawSocketHost.control} is asked to do. */
export const RawControl = /* @__PURE__ */ Object.freeze({
  /** Closes at once. Nothing follows, and the handle is the host's again. */
  Abort: 0,
  /** Closes after everything taken was sent; for TCP the writing side. `Closed` follows once the peer has closed, too. */
  End: 1,
  /** Stops reading. What the host has read already may still come. */
  Pause: 2,
  /** Reads again. A connection that opens reads. */
  Resume: 3,
} as const);

/** What {@link RawSocketAdapter.event} is told. */
export const RawEvent = /* @__PURE__ */ Object.freeze({
  /** The timer has rung; handle and detail are ignored. Early is no harm. */
  Wake: 0,
  /** Bytes can go both ways; of TLS: the server is verified, as far as the adapter's `security` promises. */
  Opened: 1,
  /** Bytes came; detail holds them, a Uint8Array or ArrayBuffer that the host neither changes nor uses again. */
  Data: 2,
  /** There is room after `send` has taken less than it was given. */
  Writable: 3,
  /**
   * The last event of a connection; the handle is the host's again. Without detail both sides have closed in order. Else
   * detail says what failed: `dns`, `tcp` or `tls`, and, after a colon, why in one stable word: `tcp:econnrefused`.
   */
  Closed: 4,
} as const);
