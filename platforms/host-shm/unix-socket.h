// UNIX sockets by path, non-blocking and closed in children.
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include <stdbool.h>

// True when the path fits a socket's address.
bool socket_path_fits(const char *path);

// A socket that is connected to `path`, or -1 with errno.
int socket_connect(const char *path);

// A socket that listens on `path`, or -1 with errno. A path that a killed process left behind is taken over; one in use is not.
int socket_listen(const char *path);

#endif
