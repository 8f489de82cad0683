// biome-ignore-all lint/style/noDefaultExport: this is what an imported text is

declare module '*.service' {
  const text: string
  export default text
}
declare module '*.socket' {
  const text: string
  export default text
}
declare module '*.conf' {
  const text: string
  export default text
}
declare module '*.env' {
  const text: string
  export default text
}
