import { run } from './cli/app.ts'

// Ends at once: nothing that is still open may keep a finished command waiting.
process.exit(await run(process.argv.slice(2)))
