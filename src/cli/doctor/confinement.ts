import { confinementOffered } from '../../base/confinement.ts'
import { type Check, check, type Finding } from './check.ts'

/** What the system offers for the daemon's processes to give up; nothing is given up here. */
export function checkConfinement(): readonly Promise<Check>[] {
  if (process.platform !== 'linux') {
    return [check('confinement', () => ['warning', 'only on linux: processes are just split here'])]
  }
  const { landlock, seccomp, newCode, speculation } = confinementOffered()
  return [
    check('confinement: files', () => files(landlock)),
    check('confinement: system calls', () => systemCalls(seccomp)),
    check('confinement: new code', () => newCodeBy(newCode, seccomp)),
    check('confinement: speculation', () => [
      'ok',
      speculation ? 'it can be limited' : 'nothing to limit on this processor, or not by a process',
    ]),
  ]
}

/** Ports came with version 4 (6.7), signals with version 6 (6.12). */
export function files(landlock: number): Finding {
  if (landlock === 0) {
    return ['warning', 'no Landlock (kernel 5.13, lsm=landlock): the processes can open any file']
  }
  const lacks = [
    ...(landlock < 4 ? ['ports (kernel 6.7)'] : []),
    ...(landlock < 6 ? ['signals (kernel 6.12)'] : []),
  ]
  if (lacks.length === 0) return ['ok', `Landlock ${landlock}: files, ports and signals`]
  return ['ok', `Landlock ${landlock}: files; it does not limit ${lacks.join(' and ')} yet`]
}

function systemCalls(offered: boolean): Finding {
  if (offered) return ['ok', 'seccomp: no program, no debugging, and no socket in the signer']
  return ['warning', 'no seccomp: the signer could open sockets and start programs']
}

function newCodeBy(ofKernel: boolean, seccomp: boolean): Finding {
  if (ofKernel) return ['ok', 'the kernel and seccomp keep data from becoming code']
  if (seccomp) return ['ok', 'seccomp keeps data from becoming code (PR_SET_MDWE: kernel 6.3)']
  return ['warning', 'neither PR_SET_MDWE nor seccomp: data can become code']
}
