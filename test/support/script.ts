/** Command-line transcripts after Go's testscript: one folder, one binary, one line at a time. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { commands, type World } from './script-commands.ts'

const root = resolve(import.meta.dir, '../..')
const built = process.env['TATUM_KMS_BINARY'] ?? join(root, 'dist/tatum-kms')
const fromSource = [process.execPath, '--no-env-file', join(root, 'src/main.ts')]

/** The binary that was built; a named one must be there, else the sources are run. */
export const binaryUnderTest: readonly string[] =
  'TATUM_KMS_BINARY' in process.env || existsSync(built) ? [resolve(built)] : fromSource

/** Runs a transcript in a folder of its own, which is also HOME; throws at the first wrong line. */
export async function runScript(path: string, binary = binaryUnderTest): Promise<void> {
  const [script = '', ...sections] = readFileSync(path, 'utf8').split(/^-- (.+) --\n/m)
  const folder = mkdtempSync(join(tmpdir(), 'kms-script-'))
  const env = { HOME: folder, PATH: process.env['PATH'] ?? '' }
  const last = { status: 0, stdout: '', stderr: '' }
  const world: World = { binary, folder, env, captured: {}, input: '', tatum: undefined, last }
  try {
    for (let i = 0; i < sections.length; i += 2) writeSection(folder, sections[i], sections[i + 1])
    for (const [index, line] of script.split('\n').entries()) {
      await runLine(world, line).catch(cause => {
        const { status, stdout, stderr } = world.last
        const shown = `status ${status}\nstdout:\n${stdout}\nstderr:\n${stderr}`
        throw new Error(`${path}:${index + 1}: ${line}\n${cause.message}\n${shown}`)
      })
    }
  } finally {
    await world.tatum?.stop()
    rmSync(folder, { recursive: true })
  }
}

/** 0600, as the program asks of files with secrets; a `chmod` line makes it worse. */
function writeSection(folder: string, name = '', text = ''): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, name), text, { mode: 0o600 })
}

async function runLine(world: World, line: string): Promise<void> {
  const [first, ...rest] = words(line, { ...world.env, ...world.captured })
  if (first === undefined) return
  const isNegated = first === '!'
  const [verb = '', ...args] = isNegated ? rest : [first, ...rest]
  const command = commands[verb]
  if (command === undefined) throw new Error(`unknown command: ${verb}`)
  const wanted = command.length - 1
  if (wanted > 0 && wanted !== args.length) throw new Error(`${verb} takes ${wanted} arguments`)
  if ((await command(world, ...args)) === isNegated) throw new Error('it is otherwise')
}

/** Words of one line: 'quoted' text is taken as it is, $NAME elsewhere is replaced, # ends it. */
function words(line: string, values: Readonly<Record<string, string>>): readonly string[] {
  const found: readonly string[] = line.match(/#.*|(?:'[^']*'|[^\s'])+|'/g) ?? []
  if (found.includes("'")) throw new Error('a quote is not closed')
  return found
    .filter(word => !word.startsWith('#'))
    .map(word =>
      word.replace(/'([^']*)'|\$(\w+)/g, (_, quoted?: string, name = '') => {
        const value = quoted ?? values[name]
        if (value === undefined) throw new Error(`$${name} is not set`)
        return value
      }),
    )
}
