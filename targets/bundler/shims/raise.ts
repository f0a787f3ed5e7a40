// Throws, where a bundle's src has a statement that does: a call is shorter, and stands where a statement cannot.

export function raise(error: unknown): never {
  throw error;
}
