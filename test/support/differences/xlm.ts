import { expectDenied, type Judge } from '../outcome.ts'

export const xlm: Readonly<Record<string, Judge>> = {
  'XLM fee-bump envelope (accepted blindly by the original)': expectDenied,
}
