declare module "*.woff?bytes" {
  const bytes: Uint8Array;
  export default bytes;
}
