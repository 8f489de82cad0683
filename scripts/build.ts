/** Builds `dist/tatum-kms`, or with arguments `ENTRY OUTFILE` any other program in the same way. */
import { readFileSync } from 'node:fs'
import { compileProgram } from './compile.ts'

const [entry = 'src/main.ts', outfile = 'dist/tatum-kms'] = process.argv.slice(2)
compileProgram({ entry, outfile, runtime: readFileSync(process.execPath) })
