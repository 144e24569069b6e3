/* SPDX-License-Identifier: Apache-2.0 */
/* The last good file that any child has loaded, for children that are born later: by then a bad
 * one may stand at the path, and the parent may have seen neither. The kernel keeps it: a message
 * that carries its descriptor waits in a pair of sockets, which all children inherit and nobody
 * empties. A newborn child peeks at it; who has loaded a newer one sends that, and takes out the
 * old. It lies there over restarts, whether a child lives or not.
 *
 * What is newer is told by numbers that each process draws before it opens a file. The parent
 * makes all this and draws, but never reads what children have sent: what a child could be made
 * to say must not reach the superuser's process. Nor does it hand on what it loads itself, for
 * its children inherit that.
 *
 * A lock on a file, since the kernel takes it back from a process that ends. It is held for a few
 * system calls and waited for a short time only: who does not get it goes on with what it has. */
#include "mod_redir307/mod_redir307_files.h"

#include "mod_redir307/memory_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 200, LOCK_PAUSE_NS = 1000000 };

/* With a descriptor. */
struct message {
    uint64_t number;
    struct ruleset_identity identity;
};

/* Room for one descriptor; what more was sent the kernel closes. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Threads of one process are kept apart by rules_file.looking. */
static bool set_lock(const struct last_good *last, short type)
{
    struct flock wanted = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = last->lock_at, .l_len = 1
    };

    return fcntl(last->lock, F_SETLK, &wanted) == 0;
}

static bool lock(const struct last_good *last)
{
    static const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (set_lock(last, F_WRLCK)) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static void unlock(const struct last_good *last)
{
    set_lock(last, F_UNLCK);
}

/* Takes out what is older than the last: usually one message, more where a process ended in the
 * middle of this. Under the lock. */
static void drop_older(const struct last_good *last)
{
    uint64_t number = atomic_load(&last->shared->offered);
    struct message message;

    for (;;) {
        ssize_t got = recv(last->outlet, &message, sizeof(message), MSG_PEEK | MSG_DONTWAIT);

        if (got < 0 || (got == (ssize_t)sizeof(message) && message.number == number)) {
            return;
        }
        /* Without room for its descriptor, which is closed. */
        if (recv(last->outlet, &message, sizeof(message), MSG_DONTWAIT) < 0) {
            return;
        }
    }
}

static bool send_file(int inlet, struct message message, int file)
{
    struct iovec part = { .iov_base = &message, .iov_len = sizeof(message) };
    union control control = { .bytes = { 0 } };
    struct msghdr all = { .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&all);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(file));
    memcpy(CMSG_DATA(rights), &file, sizeof(file));
    return sendmsg(inlet, &all, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(message);
}

/* A descriptor of its own, -1 where there is nothing. The message stays where it is. */
static int peek_file(int outlet, struct message *message)
{
    struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
    union control control;
    struct msghdr all = { .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    ssize_t got = recvmsg(outlet, &all, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *rights = got < 0 ? NULL : CMSG_FIRSTHDR(&all);
    int file;

    if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(sizeof(file))) {
        return -1;
    }
    memcpy(&file, CMSG_DATA(rights), sizeof(file));
    if (got != (ssize_t)sizeof(*message)) {
        close(file);
        return -1;
    }
    return file;
}

static void close_if_open(int *file)
{
    if (*file >= 0) {
        close(*file);
        *file = -1;
    }
}

int last_good_lock(void)
{
    return memory_file_create();
}

void last_good_init(struct last_good *last, struct last_good_shared *shared, int lock_file,
                    unsigned lock_at)
{
    int ends[2] = { -1, -1 };

    if (shared && lock_file >= 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0) {
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    }
    *last = (struct last_good){ .inlet = ends[0],
                                .outlet = ends[1],
                                .lock = lock_file,
                                .lock_at = (off_t)lock_at,
                                .shared = shared };
}

void last_good_fini(struct last_good *last)
{
    close_if_open(&last->inlet);
    close_if_open(&last->outlet);
}

uint64_t last_good_draw(struct last_good *last)
{
    return last->outlet < 0 ? 0 : atomic_fetch_add(&last->shared->drawn, 1) + 1;
}

bool last_good_is_newer(const struct last_good *last)
{
    return last->outlet >= 0 && atomic_load(&last->shared->offered) > last->number;
}

void last_good_offer(const struct last_good *last, uint64_t number,
                     const struct ruleset_identity *identity, int file)
{
    const struct message message = { .number = number, .identity = *identity };

    if (last->inlet < 0 || file < 0 || !lock(last)) {
        return;
    }
    if (number > atomic_load(&last->shared->offered)) {
        drop_older(last);
        /* First in, then out: whoever ends in between leaves one or two, never none. */
        if (send_file(last->inlet, message, file)) {
            atomic_store(&last->shared->offered, number);
            drop_older(last);
        }
    }
    unlock(last);
}

int last_good_take(const struct last_good *last, uint64_t *number,
                   struct ruleset_identity *identity)
{
    struct message message;
    int file;

    if (last->outlet < 0 || !lock(last)) {
        return -1;
    }
    drop_older(last);
    file = peek_file(last->outlet, &message);
    unlock(last);
    if (file >= 0) {
        *number = message.number;
        *identity = message.identity;
    }
    return file;
}
