// rawrepl: the boards' REPL for the unix port.
//
// The unix port's own prompt has no raw REPL, so the tools that talk to boards cannot talk to it. This module runs
// the boards' REPL code (shared/runtime/pyexec.c) over standard input and output, and gives it what a board has and
// a process lacks: Ctrl-C that arrives as a byte and stops a running program, and a soft reset.
//
// A board's interrupt handler looks at every byte as it comes in. Here a thread does: it reads the terminal, keeps
// the Ctrl-C bytes that belong to a running program, and hands everything else on through a pipe that takes the
// place of standard input, so that the REPL, sys.stdin, input() and select see an ordinary stream.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/pyexec.h"

static void set_interrupt_char(char c);
#define mp_hal_set_interrupt_char set_interrupt_char
#include "shared/runtime/pyexec.c"
#undef mp_hal_set_interrupt_char

#define WAKE_SIGNAL SIGUSR1
#define WAKE_AGAIN_MS 20
#define MODE_VARIABLE "RAWREPL_MODE" // carries the REPL's mode over a soft reset, as a board's static variable does
#define LAST_DESCRIPTOR 1024

static int terminal = -1; // what standard input was
static int keyboard = -1; // the pipe's end that we write
static pthread_t program_thread;
static pthread_mutex_t interrupt_lock = PTHREAD_MUTEX_INITIALIZER;
static bool program_runs = false;

// pyexec calls this around each program. Under the lock, so that a Ctrl-C that comes as a program ends either
// reaches that program (which pyexec then clears up after) or is an ordinary byte of the prompt.
static void set_interrupt_char(char c) {
    pthread_mutex_lock(&interrupt_lock);
    mp_hal_set_interrupt_char(c);
    program_runs = c == CHAR_CTRL_C;
    pthread_mutex_unlock(&interrupt_lock);
}

static bool interrupt_program(void) {
    pthread_mutex_lock(&interrupt_lock);
    struct sigaction action;
    sigaction(SIGINT, NULL, &action);
    // micropython.kbd_intr(-1) goes past us to the port, which then restores the default action of SIGINT.
    bool taken = program_runs && action.sa_handler != SIG_DFL;
    if (taken) {
        mp_sched_keyboard_interrupt();
    }
    pthread_mutex_unlock(&interrupt_lock);
    if (taken) {
        pthread_kill(program_thread, WAKE_SIGNAL);
    }
    return taken;
}

static void hand_on(const unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(keyboard, bytes, count);
        if (written > 0) {
            bytes += written;
            count -= written;
        } else if (errno != EINTR) {
            _exit(1);
        }
    }
}

static void *listen_to_terminal(void *unused) {
    (void)unused;
    unsigned char bytes[512];
    for (;;) {
        // A wake-up that comes just before the program goes to sleep is lost, hence again until it was seen.
        bool pending = MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL;
        struct pollfd input = {.fd = terminal, .events = POLLIN};
        int ready = poll(&input, 1, pending ? WAKE_AGAIN_MS : -1);
        if (ready == 0) {
            pthread_kill(program_thread, WAKE_SIGNAL);
            continue;
        }
        ssize_t count = ready < 0 ? -1 : read(terminal, bytes, sizeof(bytes));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            // The host has closed its side, or died: without it nobody could stop this process.
            _exit(0);
        }
        ssize_t kept = 0;
        for (ssize_t i = 0; i < count; i++) {
            if (bytes[i] != CHAR_CTRL_C || !interrupt_program()) {
                bytes[kept++] = bytes[i];
            }
        }
        hand_on(bytes, kept);
    }
    return NULL;
}

static void wake(int signal_number) {
    (void)signal_number; // only there so that a blocking system call returns with EINTR
}

static void start_listening(void) {
    int ends[2];
    terminal = dup(STDIN_FILENO);
    if (terminal < 0 || pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0) {
        mp_raise_OSError(errno);
    }
    close(ends[0]);
    keyboard = ends[1];
    program_thread = pthread_self();
    struct sigaction action = {.sa_handler = wake};
    sigemptyset(&action.sa_mask);
    sigaction(WAKE_SIGNAL, &action, NULL);

    // The thread takes no signals: those of MicroPython's collector and of Ctrl-C are for MicroPython's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t listener;
    int error = pthread_create(&listener, NULL, listen_to_terminal, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        mp_raise_OSError(error);
    }
}

static void soft_reset(char **command) {
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    setenv(MODE_VARIABLE, pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? "raw" : "friendly", 1);
    dup2(terminal, STDIN_FILENO);
    // Files that the program left open would stay open in the new process. Not closed here and now: the listener
    // reads one of them until the very moment it is gone.
    for (int descriptor = STDERR_FILENO + 1; descriptor < LAST_DESCRIPTOR; descriptor++) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
    execv(command[0], command);
    mp_hal_stdout_tx_str("rawrepl: the interpreter could not be started again\r\n");
    _exit(1);
}

// run(command): serve the REPL for ever. `command` is the list of strings that starts this interpreter again at a
// soft reset, its full path first.
static mp_obj_t rawrepl_run(mp_obj_t command_in) {
    size_t length;
    mp_obj_t *items;
    mp_obj_get_array(command_in, &length, &items);
    if (length == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("an empty command"));
    }
    char **command = calloc(length + 1, sizeof(char *));
    for (size_t i = 0; i < length; i++) {
        command[i] = strdup(mp_obj_str_get_str(items[i]));
    }

    // What is typed belongs into __main__, not into the module that called us.
    mp_globals_set(&MP_STATE_VM(dict_main));
    mp_locals_set(&MP_STATE_VM(dict_main));
    start_listening();

    const char *mode = getenv(MODE_VARIABLE);
    if (mode != NULL && strcmp(mode, "raw") == 0) {
        pyexec_mode_kind = PYEXEC_MODE_RAW_REPL;
    }
    pyexec_file_if_exists("boot.py");
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        pyexec_file_if_exists("main.py");
    }
    for (;;) {
        int result = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (result != 0) {
            soft_reset(command);
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(rawrepl_run_obj, rawrepl_run);

static const mp_rom_map_elem_t rawrepl_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_rawrepl)},
    {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&rawrepl_run_obj)},
};
static MP_DEFINE_CONST_DICT(rawrepl_globals, rawrepl_globals_table);

const mp_obj_module_t rawrepl_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&rawrepl_globals,
};
MP_REGISTER_MODULE(MP_QSTR_rawrepl, rawrepl_module);
