// Starts two programs that inherit two eventfds as descriptors 3 and 4; ends the first one when the second has ended.
//
//   with-eventfds COUNT first-program... second-program...     COUNT words belong to the first program
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int first_words = argc > 1 ? atoi(argv[1]) : 0;
	int status = 1, made[2] = { eventfd(0, 0), eventfd(0, 0) };

	if (first_words < 1 || argc < first_words + 3 || made[0] < 0 || made[1] < 0)
		return 64;
	// Out of the way of both numbers first, then to them.
	for (int at = 0; at < 2; at++)
		made[at] = fcntl(made[at], F_DUPFD, 10);
	for (int at = 0; at < 2; at++)
		dup2(made[at], 3 + at);
	pid_t first = fork();
	if (first == 0) {
		argv[2 + first_words] = NULL;
		execv(argv[2], argv + 2);
		_exit(127);
	}
	pid_t second = fork();
	if (second == 0) {
		execv(argv[2 + first_words], argv + 2 + first_words);
		_exit(127);
	}
	waitpid(second, &status, 0);
	kill(first, SIGTERM);
	waitpid(first, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
