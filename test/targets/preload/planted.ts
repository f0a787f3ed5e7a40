// Three programs that a preloading host would break, or that would cost its RAM: what the check has to find.

const table: number[] = [];
const scratch = new Uint8Array(4);
let chosen = (): number => 1;

export const plants: Readonly<Record<string, () => void>> = {
  table: () => void table.push(1),
  scratch: () => {
    scratch[2] = 7;
  },
  chosen: () => {
    chosen = () => 2;
  },
};

export const total = (): number => table.length + scratch[2]! + chosen();
