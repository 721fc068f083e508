#include "local_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// MARK: Supervisors

int local_process_spawn_supervisor(
  const char *path, char *const argv[], char *const envp[], int lock, int order, int errors, pid_t *pid) {
  // Copies out of the way, so that putting one in place never overwrites another.
  int copies[3];
  const int originals[3] = {lock, order, errors};
  int status = 0;
  for (int i = 0; i < 3; i++) {
    copies[i] = fcntl(originals[i], F_DUPFD_CLOEXEC, 100);
    if (copies[i] < 0 && status == 0) status = errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (status == 0) status = posix_spawn_file_actions_init(&actions);
  if (status == 0) {
    status = posix_spawnattr_init(&attributes);
    if (status == 0) {
      sigset_t none, all;
      sigemptyset(&none);
      sigfillset(&all);
      posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
      posix_spawnattr_setsigmask(&attributes, &none);
      posix_spawnattr_setsigdefault(&attributes, &all);
      status = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
      if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, 0, 1);
      if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, copies[2], 2);
      if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, copies[0], LOCAL_PROCESS_LOCK);
      if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, copies[1], LOCAL_PROCESS_ORDER);
      if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(&actions, LOCAL_PROCESS_ORDER + 1);
      if (status == 0) status = posix_spawn(pid, path, &actions, &attributes, argv, envp);
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  for (int i = 0; i < 3; i++)
    if (copies[i] >= 0) close(copies[i]);
  return status;
}

// MARK: Programs

// Closes everything on exec, for kernels before 5.11 one by one.
static void close_all_on_exec(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  struct rlimit limit;
  rlim_t end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? limit.rlim_cur : 65536;
  for (int fd = 3; fd < (int)end; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Between fork and exec: nothing here may allocate or take a lock.
static void run_program(const local_process_program *program, pid_t parent, int null) {
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // The parent may have died before it was said that this process dies with it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
  if (setsid() < 0) goto failed;
  char byte;
  ssize_t count;
  do count = read(program->gate, &byte, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) _exit(127);
  if (program->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) goto failed;
  if (dup2(null, 0) < 0 || dup2(program->output, 1) < 0 || dup2(program->errors, 2) < 0) goto failed;
  if (chdir(program->folder) != 0) goto failed;
  close_all_on_exec();
  // Without close-on-exec: the lock is held for as long as any process of the pod lives.
  if (dup2(program->lock, LOCAL_PROCESS_PROGRAM_LOCK) < 0) goto failed;
  execve(program->path, program->argv, program->envp);
failed:;
  int error = errno;
  ssize_t ignored = write(program->report, &error, sizeof error);
  (void)ignored;
  _exit(127);
}

pid_t local_process_fork(const local_process_program *program) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) return -errno;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) run_program(program, parent, null);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(null);
  return pid < 0 ? -error : pid;
}

int local_process_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : -errno; }

// MARK: Signals

static int signals_written = -1;

static void write_down(int number, siginfo_t *information, void *context) {
  (void)context;
  int saved = errno;
  char note[5] = {number == SIGCHLD ? 'C' : 'T'};
  int32_t value = information->si_code == SI_QUEUE ? information->si_value.sival_int : -1;
  memcpy(note + 1, &value, sizeof value);
  ssize_t ignored = write(signals_written, note, number == SIGCHLD ? 1 : sizeof note);
  (void)ignored;
  errno = saved;
}

int local_process_watch_signals(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  signals_written = ends[1];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = write_down;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
  for (int i = 0; i < 4; i++) {
    if (sigaction(numbers[i], &action, NULL) != 0) return -errno;
  }
  signal(SIGPIPE, SIG_IGN);
  return ends[0];
}

// MARK: Processes

int local_process_open(pid_t pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : fd;
}

int local_process_signal(int pidfd, int number, int value) {
  siginfo_t information;
  memset(&information, 0, sizeof information);
  information.si_signo = number;
  information.si_code = SI_QUEUE;
  information.si_pid = getpid();
  information.si_uid = getuid();
  information.si_value.sival_int = value;
  long status = syscall(SYS_pidfd_send_signal, pidfd, number, value < 0 ? NULL : &information, 0);
  return status == 0 ? 0 : -errno;
}

void local_process_reap(int pidfd) {
  siginfo_t information;
  waitid((idtype_t)P_PIDFD, (id_t)pidfd, &information, WEXITED | WNOHANG);
}

int local_process_memory_file(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

// MARK: Waiting

int local_process_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

int local_process_timer(void) {
  int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  return timer < 0 ? -errno : timer;
}

int local_process_set_timer(int timer, int64_t seconds, int64_t nanoseconds) {
  struct itimerspec time;
  memset(&time, 0, sizeof time);
  time.it_value.tv_sec = seconds;
  time.it_value.tv_nsec = nanoseconds;
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL) == 0 ? 0 : -errno;
}

int local_process_set(void) {
  int set = epoll_create1(EPOLL_CLOEXEC);
  return set < 0 ? -errno : set;
}

int local_process_set_add(int set, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
  return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

void local_process_set_remove(int set, int descriptor) { epoll_ctl(set, EPOLL_CTL_DEL, descriptor, NULL); }

int local_process_set_wait(int set, int *ready, int count) {
  struct epoll_event events[32];
  int found = epoll_wait(set, events, count < 32 ? count : 32, -1);
  if (found < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < found; i++) ready[i] = events[i].data.fd;
  return found;
}
