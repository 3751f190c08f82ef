/*
 * The tree of the files in memory, and the calls: see memfs.h.
 *
 * A node is a file, a folder or a link. A name is one of a folder's: it is in the
 * folder's list, in the order of making, and in one table by folder and name. A
 * node is there as long as it has a name or is open. One lock is held for each
 * call; none takes long.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memfs.h"

#ifdef __EMSCRIPTEN__
#include <emscripten.h>
#define FOR_RUNNER EMSCRIPTEN_KEEPALIVE
#else
#define FOR_RUNNER
#endif

enum {
    NAME_HEAD = 3, /* as in hostfs.h's lists */
    MAX_NAME = 255,
    MAX_TARGET = 4095,
    MAX_LINKS = 32000,
    BUCKETS = 1 << 14,
    MODE_BITS = 01777,
    LINK_MODE = 0777,
    DIR_SIZE = 4096,
    DEVICE = 0x746c,
    TMPFS_MAGIC = 0x01021994,
    /* open()'s flags, as hostfs.h has them */
    ACCESS = 3,
    RDONLY = 0,
    WRONLY = 1,
    CREAT = 0100,
    EXCL = 0200,
    TRUNC = 01000,
    APPEND = 02000,
    DIRECTORY = 0200000,
    PATH_ONLY = 010000000,
    /* dirent.h's kinds */
    KIND_DIR = 4,
    KIND_FILE = 8,
    KIND_LINK = 10,
};

#define DEFAULT_LIMIT (256 * INT64_C(1048576) / TW_MEM_PAGE)
#define NS INT64_C(1000000000)

typedef struct Node Node;
typedef struct Name Name;

struct Name {
    Node *folder;
    Node *node;
    Name *bucket_next;
    Name *prev, *next;
    size_t length;
    char text[];
};

struct Node {
    int64_t id;
    int mode;
    int links;
    int open;
    int64_t atime, mtime, ctime;
    TwMemContents contents; /* of a file */
    char *target;           /* of a link */
    Node *parent;           /* of a folder; itself at the top */
    Name *first, *last;     /* a folder's names */
};

typedef struct OpenFile {
    Node *node;
    int flags;
} OpenFile;

static struct {
    pthread_mutex_t lock;
    TwMemRoom room;
    int64_t ids;
    int64_t nodes;
    Name *buckets[BUCKETS];
    struct {
        char *path;
        Node *top;
    } mounts[TW_MEM_MOUNTS];
    OpenFile files[TW_MEMFD_MAX];
    void *buffer;
    size_t buffer_size;
} fs = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .room = { .limit = DEFAULT_LIMIT },
};

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * NS + time.tv_nsec;
}

static bool is_dir(const Node *node)
{
    return S_ISDIR(node->mode);
}

static void changed(Node *node)
{
    node->mtime = node->ctime = now();
}

static Node *new_node(int mode)
{
    Node *node = calloc(1, sizeof(*node));

    if (node) {
        node->id = ++fs.ids;
        node->mode = mode;
        changed(node);
        node->atime = node->mtime;
        fs.nodes++;
    }
    return node;
}

static void release(Node *node)
{
    if (node->links || node->open) {
        return;
    }
    tw_mem_resize(&node->contents, &fs.room, 0);
    free(node->target);
    free(node);
    fs.nodes--;
}

/* FNV-1a */
static Name **bucket(const Node *folder, const char *name, size_t length)
{
    uint32_t hash = 2166136261u ^ (uint32_t)folder->id;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }
    return &fs.buckets[(hash ^ hash >> 15) % BUCKETS];
}

static Name *find(const Node *folder, const char *text)
{
    size_t length = strlen(text);
    Name *name = *bucket(folder, text, length);

    while (name && (name->folder != folder || name->length != length ||
                    memcmp(name->text, text, length))) {
        name = name->bucket_next;
    }
    return name;
}

/* A name for the node, which is then the folder's. */
static int add(Node *folder, const char *text, Node *node)
{
    size_t length = strlen(text);
    Name **head = bucket(folder, text, length);
    Name *name = malloc(sizeof(*name) + length);

    if (!name) {
        return -LINUX_ENOMEM;
    }
    *name = (Name){ .folder = folder,
                    .node = node,
                    .bucket_next = *head,
                    .prev = folder->last,
                    .length = length };
    memcpy(name->text, text, length);
    *head = name;
    *(folder->last ? &folder->last->next : &folder->first) = name;
    folder->last = name;
    node->links++;
    if (is_dir(node)) {
        node->parent = folder;
        folder->links++;
    }
    changed(folder);
    node->ctime = folder->ctime;
    return 0;
}

static void take_away(Name *name)
{
    Node *folder = name->folder;
    Node *node = name->node;
    Name **at = bucket(folder, name->text, name->length);

    while (*at != name) {
        at = &(*at)->bucket_next;
    }
    *at = name->bucket_next;
    *(name->prev ? &name->prev->next : &folder->first) = name->next;
    *(name->next ? &name->next->prev : &folder->last) = name->prev;
    free(name);
    node->links--;
    if (is_dir(node)) {
        folder->links--;
    }
    changed(folder);
    node->ctime = folder->ctime;
}

static OpenFile *file_of(int fd)
{
    OpenFile *file = tw_is_memfd(fd) ? &fs.files[fd - TW_MEMFD_BASE] : NULL;

    return file && file->node ? file : NULL;
}

/* A free descriptor. */
static int free_fd(void)
{
    for (int i = 0; i < TW_MEMFD_MAX; i++) {
        if (!fs.files[i].node) {
            return TW_MEMFD_BASE + i;
        }
    }
    return -LINUX_EMFILE;
}

static Node *mounted(const char *path)
{
    for (int i = 0; i < TW_MEM_MOUNTS; i++) {
        if (fs.mounts[i].path && !strcmp(fs.mounts[i].path, path)) {
            return fs.mounts[i].top;
        }
    }
    return NULL;
}

/*
 * Where a call is to happen: a folder, and a name in it that may be there. "." is
 * the folder itself.
 */
typedef struct Place {
    Node *folder;
    Name *name;
    Node *node;
} Place;

static int look(int dir, const char *text, Place *place)
{
    OpenFile *file = file_of(dir);

    *place = (Place){ 0 };
    if (!file) {
        return -LINUX_EBADF;
    }
    place->folder = file->node;
    if (!is_dir(place->folder)) {
        return -LINUX_ENOTDIR;
    }
    if (strchr(text, '/') || !strcmp(text, "..")) {
        return -LINUX_EACCES;
    }
    if (!*text) {
        return -LINUX_ENOENT;
    }
    if (!strcmp(text, ".")) {
        place->node = place->folder;
        return 0;
    }
    if (!place->folder->links) {
        return -LINUX_ENOENT; /* removed, while it is open */
    }
    if (strlen(text) > MAX_NAME) {
        return -LINUX_ENAMETOOLONG;
    }
    place->name = find(place->folder, text);
    place->node = place->name ? place->name->node : NULL;
    return 0;
}

static int look_existing(int dir, const char *text, Place *place)
{
    int result = look(dir, text, place);

    return result == 0 && !place->node ? -LINUX_ENOENT : result;
}

/* A place where a name can be made. */
static int look_free(int dir, const char *text, Place *place)
{
    int result = look(dir, text, place);

    if (result) {
        return result;
    }
    return place->node ? -LINUX_EEXIST : 0;
}

static int make(int dir, const char *text, int mode, Node **made)
{
    Place place;
    int result = look_free(dir, text, &place);
    Node *node;

    if (result) {
        return result;
    }
    if (S_ISDIR(mode) && place.folder->links >= MAX_LINKS) {
        return -LINUX_EMLINK;
    }
    node = new_node(mode);
    if (!node) {
        return -LINUX_ENOMEM;
    }
    node->links = S_ISDIR(mode); /* its "." */
    result = add(place.folder, text, node);
    if (result) {
        node->links = 0;
        release(node);
        return result;
    }
    *made = node;
    return 0;
}

static int may_open(const Node *node, int flags)
{
    if (S_ISLNK(node->mode)) {
        if (flags & DIRECTORY) {
            return -LINUX_ENOTDIR;
        }
        return flags & PATH_ONLY ? 0 : -LINUX_ELOOP;
    }
    if (is_dir(node)) {
        bool writes = (flags & ACCESS) != RDONLY || flags & (TRUNC | CREAT);

        return writes && !(flags & PATH_ONLY) ? -LINUX_EISDIR : 0;
    }
    return flags & DIRECTORY ? -LINUX_ENOTDIR : 0;
}

static int open_locked(int dir, const char *path, int flags, int mode)
{
    Place place = { 0 };
    int fd = free_fd();
    int result;

    if (dir == TW_NOWHERE) {
        place.node = mounted(path);
        if (!place.node) {
            return TW_NOT_LIVE;
        }
    } else {
        result = look(dir, path, &place);
        if (result) {
            return result;
        }
    }
    if (fd < 0) {
        return fd; /* before a file is made for nothing */
    }
    if (flags & PATH_ONLY) {
        flags &= PATH_ONLY | DIRECTORY;
    }
    if (place.node) {
        if ((flags & (CREAT | EXCL)) == (CREAT | EXCL)) {
            return -LINUX_EEXIST;
        }
        result = may_open(place.node, flags);
        if (result) {
            return result;
        }
    } else {
        if (!(flags & CREAT)) {
            return -LINUX_ENOENT;
        }
        if (flags & DIRECTORY) {
            return -LINUX_EINVAL;
        }
        result = make(dir, path, S_IFREG | (mode & MODE_BITS), &place.node);
        if (result) {
            return result;
        }
    }
    fs.files[fd - TW_MEMFD_BASE] = (OpenFile){
        .node = place.node,
        .flags = flags,
    };
    place.node->open++;
    if (flags & TRUNC && place.node->contents.size) {
        tw_mem_resize(&place.node->contents, &fs.room, 0);
        changed(place.node);
    }
    return fd;
}

static int close_locked(int fd)
{
    OpenFile *file = file_of(fd);
    Node *node;

    if (!file) {
        return -LINUX_EBADF;
    }
    node = file->node;
    *file = (OpenFile){ 0 };
    node->open--;
    release(node);
    return 0;
}

static OpenFile *readable(int fd, double pos, int *error)
{
    OpenFile *file = file_of(fd);

    *error =
        pos < 0 ? -LINUX_EINVAL
        : !file || file->flags & PATH_ONLY || (file->flags & ACCESS) == WRONLY
            ? -LINUX_EBADF
        : is_dir(file->node) ? -LINUX_EISDIR
                             : 0;
    return file;
}

static double read_locked(int fd, const struct iovec *iov, int n, double pos)
{
    int error;
    OpenFile *file = readable(fd, pos, &error);
    int64_t done = 0;

    for (int i = 0; !error && i < n; i++) {
        int64_t got = tw_mem_get(&file->node->contents, iov[i].iov_base,
                                 iov[i].iov_len, (int64_t)pos + done);

        done += got;
        if ((size_t)got < iov[i].iov_len) {
            break;
        }
    }
    if (error) {
        return error;
    }
    file->node->atime = now();
    return (double)done;
}

static double write_locked(int fd, const struct iovec *iov, int n, double pos)
{
    OpenFile *file = file_of(fd);
    int64_t done = 0;
    int64_t put = 0;

    if (pos < 0) {
        return -LINUX_EINVAL;
    }
    if (!file || file->flags & PATH_ONLY || (file->flags & ACCESS) == RDONLY) {
        return -LINUX_EBADF;
    }
    if (file->flags & APPEND) {
        pos = (double)file->node->contents.size;
    }
    for (int i = 0; i < n; i++) {
        put = tw_mem_put(&file->node->contents, &fs.room, iov[i].iov_base,
                         iov[i].iov_len, (int64_t)pos + done);
        done += put > 0 ? put : 0;
        if (put < 0 || (size_t)put < iov[i].iov_len) {
            break;
        }
    }
    if (done) {
        changed(file->node);
        return (double)done;
    }
    return (double)put;
}

static int truncate_locked(int fd, double size)
{
    OpenFile *file = file_of(fd);

    if (!file || file->flags & PATH_ONLY) {
        return -LINUX_EBADF;
    }
    if ((file->flags & ACCESS) == RDONLY) {
        return -LINUX_EINVAL;
    }
    tw_mem_resize(&file->node->contents, &fs.room, (int64_t)size);
    changed(file->node);
    return 0;
}

static size_t list_one(uint8_t *out, int kind, const char *name, size_t length)
{
    if (out) {
        out[0] = (uint8_t)kind;
        out[1] = length & 255;
        out[2] = (uint8_t)(length >> 8);
        memcpy(out + NAME_HEAD, name, length);
    }
    return NAME_HEAD + length;
}

static size_t list_all(const Node *folder, uint8_t *out)
{
    size_t at = list_one(out, KIND_DIR, ".", 1);

    at += list_one(out ? out + at : NULL, KIND_DIR, "..", 2);
    for (const Name *name = folder->first; name; name = name->next) {
        int mode = name->node->mode;
        int kind = S_ISDIR(mode)   ? KIND_DIR
                   : S_ISLNK(mode) ? KIND_LINK
                                   : KIND_FILE;

        at += list_one(out ? out + at : NULL, kind, name->text, name->length);
    }
    return at;
}

static int list_locked(int fd, uint8_t *buf, int size)
{
    OpenFile *file = file_of(fd);
    size_t total;

    if (!file || file->flags & PATH_ONLY) {
        return -LINUX_EBADF;
    }
    if (!is_dir(file->node)) {
        return -LINUX_ENOTDIR;
    }
    total = list_all(file->node, NULL);
    if (total <= (size_t)size) {
        list_all(file->node, buf);
    }
    return (int)total;
}

static void fill(TwHostStat *out, const Node *node)
{
    int64_t size = is_dir(node)   ? DIR_SIZE
                   : node->target ? (int64_t)strlen(node->target)
                                  : node->contents.size;

    *out = (TwHostStat){
        .dev = DEVICE,
        .mode = node->mode,
        .nlink = node->links,
        .size = size,
        .blksize = TW_MEM_PAGE,
        .blocks = node->contents.used * (TW_MEM_PAGE / 512),
        .atime_ns = node->atime,
        .mtime_ns = node->mtime,
        .ctime_ns = node->ctime,
        .ino = node->id,
    };
}

static int stat_locked(int dir, const char *path, TwHostStat *out)
{
    Place place = { 0 };
    int result = 0;

    if (dir == TW_NOWHERE) {
        place.node = mounted(path);
        result = place.node ? 0 : TW_NOT_LIVE;
    } else {
        result = look_existing(dir, path, &place);
    }
    if (result == 0) {
        fill(out, place.node);
    }
    return result;
}

static int unlink_locked(int dir, const char *path, bool is_folder)
{
    Place place;
    int result = look_existing(dir, path, &place);

    if (result) {
        return result;
    }
    if (!place.name) {
        return is_folder ? -LINUX_EINVAL : -LINUX_EISDIR;
    }
    if (is_folder != is_dir(place.node)) {
        return is_folder ? -LINUX_ENOTDIR : -LINUX_EISDIR;
    }
    if (is_folder && place.node->first) {
        return -LINUX_ENOTEMPTY;
    }
    take_away(place.name);
    place.node->links -= is_folder; /* its "." */
    release(place.node);
    return 0;
}

static bool is_below(const Node *folder, const Node *above)
{
    while (folder != above && folder->parent != folder) {
        folder = folder->parent;
    }
    return folder == above;
}

static const Node *top_of(const Node *folder)
{
    while (folder->parent != folder) {
        folder = folder->parent;
    }
    return folder;
}

/* Whether @to, if there is something, may be replaced by @from. */
static int may_rename(const Place *from, const Place *to)
{
    if (top_of(from->folder) != top_of(to->folder)) {
        return -LINUX_EXDEV;
    }
    if (is_dir(from->node) && is_below(to->folder, from->node)) {
        return -LINUX_EINVAL;
    }
    if (!to->node) {
        return is_dir(from->node) && from->folder != to->folder &&
                       to->folder->links >= MAX_LINKS
                   ? -LINUX_EMLINK
                   : 0;
    }
    if (is_dir(to->node) && is_below(from->folder, to->node)) {
        return -LINUX_ENOTEMPTY;
    }
    if (is_dir(from->node) != is_dir(to->node)) {
        return is_dir(to->node) ? -LINUX_EISDIR : -LINUX_ENOTDIR;
    }
    return to->node->first ? -LINUX_ENOTEMPTY : 0;
}

static int rename_locked(int dir, const char *path, int new_dir,
                         const char *new_path)
{
    Place from, to;
    Name *replaced;
    int result;

    if (!strcmp(path, ".") || !strcmp(new_path, ".")) {
        return -LINUX_EBUSY;
    }
    result = look_existing(dir, path, &from);
    result = result ? result : look(new_dir, new_path, &to);
    if (result == 0 && from.node == to.node) {
        return 0; /* POSIX: also if these are two names of one file */
    }
    result = result ? result : may_rename(&from, &to);
    if (result) {
        return result;
    }
    /* The new name first: then nothing is lost if there is no memory for it. */
    replaced = to.name;
    result = add(to.folder, new_path, from.node);
    if (result) {
        return result;
    }
    take_away(from.name);
    if (replaced) {
        take_away(replaced);
        to.node->links -= is_dir(to.node);
        release(to.node);
    }
    return 0;
}

static int link_locked(int dir, const char *path, int new_dir,
                       const char *new_path)
{
    Place from, to;
    int result = look_existing(dir, path, &from);

    result = result ? result : look_free(new_dir, new_path, &to);
    if (result) {
        return result;
    }
    if (is_dir(from.node)) {
        return -LINUX_EPERM;
    }
    if (top_of(from.folder) != top_of(to.folder)) {
        return -LINUX_EXDEV;
    }
    return from.node->links >= MAX_LINKS ? -LINUX_EMLINK
                                         : add(to.folder, new_path, from.node);
}

static int symlink_locked(const char *target, int dir, const char *path)
{
    char *copy;
    Node *node;
    int result;

    if (!*target) {
        return -LINUX_ENOENT;
    }
    if (strlen(target) > MAX_TARGET) {
        return -LINUX_ENAMETOOLONG;
    }
    copy = strdup(target);
    if (!copy) {
        return -LINUX_ENOMEM;
    }
    result = make(dir, path, S_IFLNK | LINK_MODE, &node);
    if (result) {
        free(copy);
        return result;
    }
    node->target = copy;
    return 0;
}

static int readlink_locked(int dir, const char *path, char *buf, int size)
{
    Place place;
    int result = look_existing(dir, path, &place);
    int length;

    if (size <= 0) {
        return -LINUX_EINVAL;
    }
    if (result) {
        return result;
    }
    if (!place.node->target) {
        return -LINUX_EINVAL;
    }
    length = (int)strlen(place.node->target);
    length = length < size ? length : size;
    memcpy(buf, place.node->target, (size_t)length);
    return length;
}

static int mount_locked(const char *path)
{
    for (int i = 0; i < TW_MEM_MOUNTS; i++) {
        if (!fs.mounts[i].path) {
            Node *top = new_node(S_IFDIR | 0755);
            char *copy = top ? strdup(path) : NULL;

            if (!copy) {
                if (top) {
                    release(top);
                }
                return -LINUX_ENOMEM;
            }
            top->links = 2;
            top->parent = top;
            fs.mounts[i].path = copy;
            fs.mounts[i].top = top;
            return 0;
        }
        if (!strcmp(fs.mounts[i].path, path)) {
            return -LINUX_EEXIST;
        }
    }
    return -LINUX_ENOSPC;
}

/* The calls: each under the lock. */

#define LOCKED(type, call) \
    do { \
        type locked_result; \
        pthread_mutex_lock(&fs.lock); \
        locked_result = (call); \
        pthread_mutex_unlock(&fs.lock); \
        return locked_result; \
    } while (0)

FOR_RUNNER int tw_mem_mount(const char *path)
{
    LOCKED(int, mount_locked(path));
}

FOR_RUNNER void tw_mem_set_limit(double bytes)
{
    pthread_mutex_lock(&fs.lock);
    fs.room.limit = (int64_t)(bytes / TW_MEM_PAGE);
    pthread_mutex_unlock(&fs.lock);
}

FOR_RUNNER void *tw_mem_buffer(size_t size)
{
    if (size > fs.buffer_size) {
        free(fs.buffer);
        fs.buffer = malloc(size);
        fs.buffer_size = fs.buffer ? size : 0;
    }
    return fs.buffer;
}

FOR_RUNNER int tw_mem_open(int dir, const char *path, int flags, int mode)
{
    LOCKED(int, open_locked(dir, path, flags, mode));
}

FOR_RUNNER int tw_mem_close(int fd)
{
    LOCKED(int, close_locked(fd));
}

FOR_RUNNER double tw_mem_read(int fd, const struct iovec *iov, int n,
                              double pos)
{
    LOCKED(double, read_locked(fd, iov, n, pos));
}

FOR_RUNNER double tw_mem_write(int fd, const struct iovec *iov, int n,
                               double pos)
{
    LOCKED(double, write_locked(fd, iov, n, pos));
}

int tw_mem_sync(int fd, int data_only)
{
    (void)data_only;
    LOCKED(int, file_of(fd) ? 0 : -LINUX_EBADF);
}

FOR_RUNNER int tw_mem_truncate(int fd, double size)
{
    LOCKED(int, truncate_locked(fd, size));
}

FOR_RUNNER int tw_mem_list(int fd, uint8_t *buf, int size)
{
    LOCKED(int, list_locked(fd, buf, size));
}

static int chmod_locked(int fd, int mode)
{
    OpenFile *file = file_of(fd);

    if (!file) {
        return -LINUX_EBADF;
    }
    file->node->mode = (file->node->mode & S_IFMT) | (mode & MODE_BITS);
    file->node->ctime = now();
    return 0;
}

FOR_RUNNER int tw_mem_chmod(int fd, int mode)
{
    LOCKED(int, chmod_locked(fd, mode));
}

static int statfs_locked(int fd, TwHostStatfs *out)
{
    int64_t left = fs.room.limit - fs.room.used;

    if (!file_of(fd)) {
        return -LINUX_EBADF;
    }
    if (left < 0) {
        left = 0; /* the limit became smaller than what there was */
    }
    *out = (TwHostStatfs){
        .type = TMPFS_MAGIC,
        .bsize = TW_MEM_PAGE,
        .blocks = fs.room.used + left,
        .bfree = left,
        .bavail = left,
        .files = fs.nodes + left,
        .ffree = left,
    };
    return 0;
}

int tw_mem_statfs(int fd, TwHostStatfs *out)
{
    LOCKED(int, statfs_locked(fd, out));
}

FOR_RUNNER int tw_mem_stat(int dir, const char *path, TwHostStat *out)
{
    LOCKED(int, stat_locked(dir, path, out));
}

static int fstat_locked(int fd, TwHostStat *out)
{
    OpenFile *file = file_of(fd);

    if (!file) {
        return -LINUX_EBADF;
    }
    fill(out, file->node);
    return 0;
}

int tw_mem_fstat(int fd, TwHostStat *out)
{
    LOCKED(int, fstat_locked(fd, out));
}

FOR_RUNNER int tw_mem_mkdir(int dir, const char *path, int mode)
{
    Node *made;

    LOCKED(int, make(dir, path, S_IFDIR | (mode & MODE_BITS), &made));
}

int tw_mem_unlink(int dir, const char *path, int is_folder)
{
    LOCKED(int, unlink_locked(dir, path, is_folder != 0));
}

int tw_mem_rename(int dir, const char *path, int new_dir, const char *new_path)
{
    LOCKED(int, rename_locked(dir, path, new_dir, new_path));
}

int tw_mem_link(int dir, const char *path, int new_dir, const char *new_path)
{
    LOCKED(int, link_locked(dir, path, new_dir, new_path));
}

FOR_RUNNER int tw_mem_symlink(const char *target, int dir, const char *path)
{
    LOCKED(int, symlink_locked(target, dir, path));
}

FOR_RUNNER int tw_mem_readlink(int dir, const char *path, char *buf, int size)
{
    LOCKED(int, readlink_locked(dir, path, buf, size));
}

static int utimes_locked(int dir, const char *path, double atime, double mtime)
{
    Place place;
    int result = look_existing(dir, path, &place);

    if (result) {
        return result;
    }
    /* To the microsecond, as on a host: a double has no more. */
    place.node->atime = (int64_t)(atime * 1e6) * 1000;
    place.node->mtime = (int64_t)(mtime * 1e6) * 1000;
    place.node->ctime = now();
    return 0;
}

FOR_RUNNER int tw_mem_utimes(int dir, const char *path, double atime,
                             double mtime)
{
    LOCKED(int, utimes_locked(dir, path, atime, mtime));
}
