import { indent, type RuntimeUnderAttack, text } from './runtime.ts'

const KIT = `
import ctypes, errno, os, shutil, socket, subprocess, sys, time

loot, refused = [], {}


def attempt(name, act):
    try:
        if act():
            loot.append(name)
        else:
            refused[name] = "nothing"
    except OSError as error:
        refused[name] = errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        refused[name] = type(error).__name__


def struck():
    with open("/tmp/strike-report") as report:
        for line in report:
            name, error = line.split()
            if error == "0":
                loot.append(name)
            else:
                refused[name] = error


def send(data):
    data = bytes.fromhex(data)
    while data:
        data = data[os.write(3, data):]


def report():
    return "\\n".join(["loot\\t" + name for name in loot] + ["refused\\t%s\\t%s" % pair for pair in refused.items()])
`

export const PYTHON: RuntimeUnderAttack = {
  name: 'python',
  identifier: 'python3.11',
  memoryMiB: 128,
  carrier: `
with open("/tmp/facts", "w") as file:
    file.write(facts["facts"])
with open("/tmp/facts") as file:
    return subprocess.run([facts["node"], "/var/task/carried.mjs"], stdin=file, stdout=subprocess.PIPE).stdout.decode()
`,
  build: (bodies) => ({
    'kit.py': text(KIT),
    ...Object.fromEntries(
      bodies.map((body, n) => [
        `attack${n}.py`,
        text(`
from kit import *


def attack(facts):
    ${indent(body, 4)}


def handler(event, context):
    answer = attack(dict(line.split("=", 1) for line in event.split("\\n")))
    return report() if answer is None else answer
`)
      ])
    )
  }),
  handlerOf: (n) => `attack${n}.handler`
}
