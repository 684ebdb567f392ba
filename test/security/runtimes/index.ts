import { DOTNET } from './dotnet.ts'
import { JAVA } from './java.ts'
import { PROVIDED } from './provided.ts'
import { PYTHON } from './python.ts'
import { RUBY } from './ruby.ts'
import type { RuntimeUnderAttack } from './runtime.ts'

export const RUNTIMES: readonly RuntimeUnderAttack[] = [PYTHON, RUBY, JAVA, DOTNET, PROVIDED]
