// Modules of Moddable that only the suite imports.

declare module 'instrumentation' {
  const Instrumentation: { map(name: string): number; get(what: number): number };
  export default Instrumentation;
}

declare module 'mc/debug' {
  const Debug: { gc(): void };
  export default Debug;
}
