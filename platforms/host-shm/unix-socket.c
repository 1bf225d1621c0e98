// Connects to and listens on UNIX sockets.
#define _GNU_SOURCE
#include "unix-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4 };

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	return address;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int give_back(int descriptor)
{
	int reason = errno;

	close(descriptor);
	errno = reason;
	return -1;
}

bool socket_path_fits(const char *path)
{
	return strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path;
}

int socket_connect(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int descriptor = new_socket();

	if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
		return give_back(descriptor);
	return descriptor;
}

int socket_listen(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int descriptor = new_socket();

	if (descriptor < 0)
		return -1;
	if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
		if (errno != EADDRINUSE)
			return give_back(descriptor);
		// A socket that nobody listens on was left by a process that was killed.
		int other = socket_connect(path);
		if (other >= 0) {
			close(other);
			errno = EADDRINUSE;
			return give_back(descriptor);
		}
		if (errno != ECONNREFUSED || unlink(path) < 0 ||
		    bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
			return give_back(descriptor);
	}
	return listen(descriptor, BACKLOG) < 0 ? give_back(descriptor) : descriptor;
}
