import { KmsError } from '../../base/errors.ts'
import type { Action } from '../action.ts'

/**
 * `reload-service PID`: what systemd before 253 runs to have the policy read again. Inside the
 * service's own root there is no other program.
 */
export const reloadService: Action = async (_, [pid = '']) => {
  if (!/^[1-9]\d{0,9}$/.test(pid)) throw new KmsError('usage', 'reload-service takes a process id')
  process.kill(Number(pid), 'SIGHUP')
  return 0
}
