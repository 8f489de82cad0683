import { asArray, asInteger, asRecord, asString, encodeJson, parseJson } from '../base/json.ts'

/** How the front begins, as the process before it leaves it behind. */
export type FrontStart = {
  /** What could not be given up, and whether it then may not go on. */
  readonly misses: readonly string[]
  readonly requireHardening: boolean
  /** Open descriptors of a front that is a service of its own; null where it is a child. */
  readonly service: {
    readonly channelFd: number
    readonly configFd: number
    readonly notifyFd: number | null
  } | null
}

export function encodeFrontStart(start: FrontStart): string {
  return encodeJson(start)
}

/** One that was started by hand has given up nothing before. */
export function decodeFrontStart(text: string): FrontStart {
  const record = asRecord(parseJson(text))
  const misses = asArray(record?.get('misses'))?.map(miss => asString(miss) ?? '')
  const service = asRecord(record?.get('service'))
  const channelFd = asInteger(service?.get('channelFd'))
  const configFd = asInteger(service?.get('configFd'))
  const isService = channelFd !== undefined && configFd !== undefined
  return {
    misses: misses ?? ['files: started by hand'],
    requireHardening: record?.get('requireHardening') === true,
    service: isService
      ? { channelFd, configFd, notifyFd: asInteger(service?.get('notifyFd')) ?? null }
      : null,
  }
}
