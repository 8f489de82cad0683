import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { Option } from '../src/cli/command.ts'
import { commands } from '../src/cli/commands.ts'
import { camel, helpFlags, versionFlags } from '../src/cli/flags.ts'

const root = join(import.meta.dir, '..')
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe.each(pages)('%s', page => {
  test('links to files and headings that are there', () => {
    const targets = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(
      ([, to = '']) => to,
    )
    const broken = targets.filter(to => !to.startsWith('https://') && !isThere(page, to))
    expect(broken).toEqual([])
  })

  test('has each heading once, so that a link to it leads there', () => {
    const anchors = anchorsOf(page)
    expect(anchors.filter((anchor, at) => anchors.indexOf(anchor) !== at)).toEqual([])
  })
})

/** Of other programs, which the pages show in passing. */
const foreignFlags = [
  ...['frozen-lockfile', 'key', 'now'],
  ...['read-only', 'security-opt', 'stop-timeout', 'ulimit', 'user'],
]

test.each(pages)('%s names no flag that is not there', page => {
  const known = new Set(commands.flatMap(({ options }) => options.flatMap(spellings)))
  const named = [...withoutCode(read(page)).matchAll(/`[^`\n]*`/g)].flatMap(([code]) =>
    [...code.matchAll(/(?<![\w-])--([a-zA-Z][\w-]*)/g)].map(([, flag = '']) => flag),
  )
  const others = new Set([...foreignFlags, ...helpFlags, ...versionFlags].map(withoutDashes))
  expect(named.filter(flag => !known.has(flag) && !others.has(flag))).toEqual([])
})

test('every page is named in the README, which is short', () => {
  const readme = read('README.md')
  for (const page of pages.slice(1)) expect(readme).toContain(`(${page}`)
  expect(readme.split('\n').length).toBeLessThanOrEqual(150)
})

const operations = read('docs/operations.md')

test('the contents of operations name each of its sections', () => {
  const [contents = '', ...sections] = operations.split(/^## /m)
  for (const section of sections) {
    const title = section.slice(0, section.indexOf('\n'))
    expect(contents).toContain(`[${title}](#${anchorOf(title)})`)
  }
})

test('every option of the daemon is told of', () => {
  const [, section = ''] = operations.split('\n## The daemon\n')
  const [told = ''] = section.split('\n## ')
  const options = commands.find(({ name }) => name === 'daemon')?.options ?? []
  /** Told of as sources of the password. */
  const sources = ['password-fd', 'aws', 'azure', 'vgs', 'hashicorp']
  const missing = options
    .map(({ name }) => name)
    .filter(name => !sources.includes(name) && !told.includes(`\`--${name}`))
  expect(missing).toEqual([])
})

function spellings({ name }: Option): readonly string[] {
  return [name, camel(name)]
}

function withoutDashes(flag: string): string {
  return flag.replace(/^-+/, '')
}

function isThere(page: string, to: string): boolean {
  const [path = '', anchor] = to.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(target).includes(anchor)
}

function anchorsOf(page: string): readonly string[] {
  return [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    anchorOf(title),
  )
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/** Comments of shell sessions are no headings. */
function withoutCode(text: string): string {
  return text.replace(/^ *```.*?^ *```$/gms, '')
}
