/** `child-at-terminal.ts SCRIPT`: starts a shell as the front is started, and waits for its end. */
import { startChild } from '../../src/base/child.ts'
import { waitPid } from '../../src/base/native.ts'

const [script = ''] = process.argv.slice(2)
waitPid(startChild(['/bin/sh', '-c', script], {}, 2))
