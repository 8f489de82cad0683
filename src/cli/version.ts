// By name, so that the binary embeds this one member and not the whole file.
import { version as packageVersion } from '../../package.json'

export const version: string = packageVersion
