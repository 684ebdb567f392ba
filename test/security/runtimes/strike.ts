import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * A native library that attacks when it is loaded, whoever loads it and whatever for: system calls past the language's
 * own library, and a line for each in /tmp/strike-report with the error's name, or 0.
 */
const SOURCE = `
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static FILE *out;

static void note(const char *name, long result) {
  int error = result < 0 ? errno : 0;
  const char *text = error == EPERM ? "EPERM" : error == ENOSYS ? "ENOSYS" : error == EAFNOSUPPORT ? "EAFNOSUPPORT"
    : error == EINVAL ? "EINVAL" : error == EACCES ? "EACCES" : NULL;
  if (error == 0) fprintf(out, "%s 0\\n", name);
  else if (text != NULL) fprintf(out, "%s %s\\n", name, text);
  else fprintf(out, "%s errno-%d\\n", name, error);
}

__attribute__((constructor)) static void strike(void) {
  out = fopen("/tmp/strike-report", "w");
  if (out == NULL) return;
  note("root", geteuid() == 0 ? 0 : (errno = EPERM, -1));
  note("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, 0));
  note("umount", syscall(SYS_umount2, "/proc/meminfo", 2));
  note("pivot-root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
  note("chroot", syscall(SYS_chroot, "/"));
  note("open-tree", syscall(428, -100, "/usr", 1));
  note("unshare-user", syscall(SYS_unshare, 0x10000000));
  note("unshare-mount", syscall(SYS_unshare, 0x20000));
  note("setns", syscall(SYS_setns, 0, 0));
  note("setuid", syscall(SYS_setuid, 0));
  note("ptrace", syscall(SYS_ptrace, 0x4206, getppid(), 0, 0));
  note("process-vm-readv", syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0));
  note("pidfd-getfd", syscall(438, 3, 3, 0));
  note("bpf", syscall(SYS_bpf, 0, 0, 0));
  note("perf", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
  note("userfaultfd", syscall(SYS_userfaultfd, 1));
  note("io-uring", syscall(425, 4, 0));
  note("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  note("open-by-handle", syscall(SYS_open_by_handle_at, 0, 0, 0));
  note("init-module", syscall(SYS_init_module, 0, 0, ""));
  note("mknod", syscall(SYS_mknodat, -100, "/tmp/disk", 060666, 0xfe00));
  note("hostname", syscall(SYS_sethostname, "x", 1));
  note("packet", syscall(SYS_socket, 17, 3, 0x300));
  note("raw", syscall(SYS_socket, 2, 3, 1));
  note("vsock", syscall(SYS_socket, 40, 1, 0));
  note("crypto", syscall(SYS_socket, 38, 5, 0));
  fclose(out);
}

int JNI_OnLoad(void *vm, void *reserved) { return 0x00010008; }
`

/** How its calls may fail. */
export const STRIKE_REFUSALS = ['EPERM', 'ENOSYS', 'EAFNOSUPPORT', 'EINVAL', 'EACCES']

/** Compiles it. @param dir - an empty folder to work in */
export function buildStrike(dir: string): Buffer {
  const file = path.join(dir, 'strike.so')
  writeFileSync(path.join(dir, 'strike.c'), SOURCE)
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', file, path.join(dir, 'strike.c')], { stdio: 'pipe' })
  return readFileSync(file)
}
