// A binary heap of numbered timers that knows where each of them is, so that one can be moved or removed: as libuv and Node do.

export class BinaryHeap {
  size = 0;
  private readonly order: Int32Array;
  private readonly places: Int32Array;
  private readonly at: Float64Array;

  constructor(capacity: number) {
    this.order = new Int32Array(capacity);
    this.places = new Int32Array(capacity);
    this.at = new Float64Array(capacity);
  }

  firstAt(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.at[this.order[0]!]!;
  }

  add(timer: number, at: number): void {
    this.at[timer] = at;
    this.rise(timer, this.size++);
  }

  move(timer: number, at: number): void {
    const earlier = at < this.at[timer]!;
    this.at[timer] = at;
    if (earlier) this.rise(timer, this.places[timer]!);
    else this.sink(timer, this.places[timer]!);
  }

  remove(timer: number): void {
    const place = this.places[timer]!;
    const last = this.order[--this.size]!;
    if (last === timer) return;
    if (this.at[last]! < this.at[timer]!) this.rise(last, place);
    else this.sink(last, place);
  }

  removeFirst(): number {
    const first = this.order[0]!;
    this.remove(first);
    return first;
  }

  private rise(timer: number, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.order[parent]!;
      if (this.at[above]! <= this.at[timer]!) break;
      this.put(above, place);
      place = parent;
    }
    this.put(timer, place);
  }

  private sink(timer: number, from: number): void {
    let place = from;
    for (let child = 2 * place + 1; child < this.size; child = 2 * place + 1) {
      const right = child + 1;
      const least = right < this.size && this.at[this.order[right]!]! < this.at[this.order[child]!]! ? right : child;
      if (this.at[this.order[least]!]! >= this.at[timer]!) break;
      this.put(this.order[least]!, place);
      place = least;
    }
    this.put(timer, place);
  }

  private put(timer: number, place: number): void {
    this.order[place] = timer;
    this.places[timer] = place;
  }
}
