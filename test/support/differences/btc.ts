import { expectRefused, type Judge } from '../outcome.ts'

export const btc: Readonly<Record<string, Judge>> = {
  'BTC wrong-key': expectRefused,
}
