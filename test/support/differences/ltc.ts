import { expectRefused, type Judge } from '../outcome.ts'

export const ltc: Readonly<Record<string, Judge>> = {
  'LTC wrong-key': expectRefused,
}
