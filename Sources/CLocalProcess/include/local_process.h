// CLocalProcess: what starting processes safely takes and Swift cannot say: code between fork and exec, and signal
// handlers. Everything here either is a system call or runs where only such calls are allowed.
//
// See Sources/StandaloneJobs/Supervisor for who starts whom.
#ifndef BUCKET_SYNC_LOCAL_PROCESS_H
#define BUCKET_SYNC_LOCAL_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

// The descriptors that a supervisor finds open, besides the standard ones.
#define LOCAL_PROCESS_LOCK 3  // the pod's lock, held
#define LOCAL_PROCESS_ORDER 4 // what to run

// The descriptor by which the program, and all that it starts, holds the lock: out of the way of scripts, which like
// to use small numbers.
#define LOCAL_PROCESS_PROGRAM_LOCK 99

// Starts a supervisor in a session of its own, with `lock`, `order` and `errors` (its standard error) and no other
// descriptor of this process. Returns 0 or an error number.
int local_process_spawn_supervisor(
  const char *path, char *const argv[], char *const envp[], int lock, int order, int errors, pid_t *pid);

// A program that waits to be started.
typedef struct {
  const char *path;
  char *const *argv;
  char *const *envp;
  const char *folder;        // its working directory
  int lock;                  // becomes LOCAL_PROCESS_PROGRAM_LOCK
  int output;                // becomes its standard output
  int errors;                // becomes its standard error
  int gate;                  // it starts when a byte can be read here, and never if it is killed before
  int report;                // gets the error number if it cannot be started; is closed when it can
  int no_new_privileges;     // whether set-user-ID programs have no effect, as allowPrivilegeEscalation: false says
} local_process_program;

// Forks the process of a program, as leader of a session of its own, which dies with the calling thread.
// Returns its process id, or the negated error number.
pid_t local_process_fork(const local_process_program *program);

// Writes down signals from now on: SIGTERM, SIGINT and SIGHUP as 'T' followed by the value they came with (four bytes,
// -1 without), SIGCHLD as 'C'. Returns the descriptor to read that from, which does not block, or a negated error number.
int local_process_watch_signals(void);

// Makes orphaned descendants children of this process.
int local_process_become_subreaper(void);

// A descriptor that becomes readable when the process ends; or a negated error number.
int local_process_open(pid_t pid);

// Sends a signal, with a value that the handler above understands (negative: without), to a process that was opened.
int local_process_signal(int pidfd, int signal, int value);

// Collects the exit status of a child that was opened, if it is one and has ended.
void local_process_reap(int pidfd);

// A file in memory, closed on exec; or a negated error number.
int local_process_memory_file(const char *name);

// MARK: Waiting. All of these return a descriptor or 0, or a negated error number.

// A pipe, closed on exec.
int local_process_pipe(int ends[2]);

// A timer that counts the time since the machine started, suspended or not; set to such a time, or to 0 for never.
int local_process_timer(void);
int local_process_set_timer(int timer, int64_t seconds, int64_t nanoseconds);

// A set of descriptors that are waited for; `wait` puts those that are readable into `ready` and returns their number.
int local_process_set(void);
int local_process_set_add(int set, int descriptor);
void local_process_set_remove(int set, int descriptor);
int local_process_set_wait(int set, int *ready, int count);

#endif
