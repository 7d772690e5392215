/* A disk that knows what would be left of it after a power cut.
 *
 * disk serve IMAGE JOURNAL ACKNOWLEDGED FOLDER
 *   FUSE: shows IMAGE as FOLDER/disk. Every write goes into IMAGE and, in its order, into JOURNAL, and so
 *   does every flush: whatever came before a flush is on the disk for good, whatever came after it may be
 *   there, may be missing, and may be there in part. Each record holds how long the file ACKNOWLEDGED was.
 * disk records JOURNAL
 *   how many records JOURNAL has.
 * disk cut IMAGE JOURNAL RECORDS SEED
 *   makes IMAGE, a copy of what JOURNAL began with, what a power cut behind so many records leaves, and
 *   prints how many bytes had been acknowledged by then. */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

struct record { uint64_t offset, length, acknowledged; };
/* The offset of a flush, which has no bytes. */
#define FLUSH UINT64_MAX

static int image, acknowledged;
static FILE *journal;

static void stop(const char *what) {
    perror(what);
    exit(1);
}

static int log_record(uint64_t offset, const char *bytes, uint64_t length) {
    struct stat now;
    if (fstat(acknowledged, &now)) return -errno;
    struct record record = { offset, length, (uint64_t)now.st_size };
    if (fwrite(&record, sizeof record, 1, journal) != 1) return -EIO;
    return length && fwrite(bytes, length, 1, journal) != 1 ? -EIO : 0;
}

static int look(const char *path, struct stat *found, struct fuse_file_info *info) {
    (void)info;
    if (fstat(image, found)) return -errno;
    if (!strcmp(path, "/")) found->st_mode = S_IFDIR | 0700;
    else if (strcmp(path, "/disk")) return -ENOENT;
    return 0;
}

static int list(const char *path, void *into, fuse_fill_dir_t fill, off_t offset,
                struct fuse_file_info *info, enum fuse_readdir_flags flags) {
    (void)path, (void)offset, (void)info, (void)flags;
    fill(into, "disk", NULL, 0, 0);
    return 0;
}

static int open_disk(const char *path, struct fuse_file_info *info) {
    info->direct_io = 1;
    return strcmp(path, "/disk") ? -ENOENT : 0;
}

static int read_disk(const char *path, char *into, size_t length, off_t offset,
                     struct fuse_file_info *info) {
    (void)path, (void)info;
    ssize_t done = pread(image, into, length, offset);
    return done < 0 ? -errno : (int)done;
}

static int write_disk(const char *path, const char *bytes, size_t length, off_t offset,
                      struct fuse_file_info *info) {
    (void)path, (void)info;
    int error = log_record((uint64_t)offset, bytes, length);
    if (error) return error;
    return pwrite(image, bytes, length, offset) == (ssize_t)length ? (int)length : -EIO;
}

static int flush_disk(const char *path, int only_data, struct fuse_file_info *info) {
    (void)path, (void)only_data, (void)info;
    return log_record(FLUSH, NULL, 0);
}

static const struct fuse_operations operations = {
    .getattr = look, .readdir = list, .open = open_disk,
    .read = read_disk, .write = write_disk, .fsync = flush_disk,
};

static int serve(char **arguments) {
    image = open(arguments[0], O_RDWR);
    journal = fopen(arguments[1], "wb");
    acknowledged = open(arguments[2], O_RDONLY | O_CREAT, 0600);
    if (image < 0 || !journal || acknowledged < 0) stop("disk serve");
    /* One thread: the journal has the order in which the disk was written to. */
    char *fuse[] = { "disk", "-f", "-s", arguments[3], NULL };
    int code = fuse_main(4, fuse, &operations, NULL);
    if (fclose(journal)) stop("disk serve: journal");
    return code;
}

/* Reads the next record, its bytes into `bytes`; 0 at the end, also of a record that is cut off. */
static int next(struct record *record, char **bytes) {
    if (fread(record, sizeof *record, 1, journal) != 1) return 0;
    *bytes = realloc(*bytes, record->length + 1);
    if (!*bytes) stop("disk");
    return !record->length || fread(*bytes, record->length, 1, journal) == 1;
}

static void put(const char *bytes, uint64_t length, uint64_t offset) {
    if (pwrite(image, bytes, length, (off_t)offset) != (ssize_t)length) stop("disk cut: image");
}

/* What no flush followed: all of it is there, none of it, or some of its sectors. */
static void put_some(const char *bytes, const struct record *record) {
    long fate = random() % 4;
    if (fate == 0) put(bytes, record->length, record->offset);
    if (fate != 1) return;
    for (uint64_t at = 0; at < record->length; at += SECTOR) {
        uint64_t length = record->length - at < SECTOR ? record->length - at : SECTOR;
        if (random() % 2) put(bytes + at, length, record->offset + at);
    }
}

static int cut(const char *image_path, const char *journal_path, uint64_t records, unsigned seed) {
    struct record record;
    char *bytes = NULL;
    uint64_t flushed = 0, known = 0;
    image = open(image_path, O_RDWR);
    journal = fopen(journal_path, "rb");
    if (image < 0 || !journal) stop("disk cut");
    for (uint64_t at = 0; at < records && next(&record, &bytes); at++) {
        known = record.acknowledged;
        if (record.offset == FLUSH) flushed = at;
    }
    rewind(journal);
    srandom(seed);
    for (uint64_t at = 0; at < records && next(&record, &bytes); at++) {
        if (record.offset == FLUSH) continue;
        if (at < flushed) put(bytes, record.length, record.offset);
        else put_some(bytes, &record);
    }
    printf("%" PRIu64 "\n", known);
    return 0;
}

static int records(const char *journal_path) {
    struct record record;
    char *bytes = NULL;
    uint64_t count = 0;
    journal = fopen(journal_path, "rb");
    if (!journal) stop("disk records");
    while (next(&record, &bytes)) count++;
    printf("%" PRIu64 "\n", count);
    return 0;
}

int main(int count, char **arguments) {
    if (count == 6 && !strcmp(arguments[1], "serve")) return serve(arguments + 2);
    if (count == 3 && !strcmp(arguments[1], "records")) return records(arguments[2]);
    if (count == 6 && !strcmp(arguments[1], "cut"))
        return cut(arguments[2], arguments[3], strtoull(arguments[4], NULL, 10),
                   (unsigned)strtoul(arguments[5], NULL, 10));
    fprintf(stderr, "usage: disk serve|records|cut, see disk.c\n");
    return 1;
}
