// What the tests' containers run: a static program without any files of its own. Modes by first argument:
//   serve [options]   HTTP on $PORT; --delay-ms N before listening, --ignore-term
//   exit CODE TEXT    writes TEXT to standard error and ends
//   hog MEGABYTES     touches that much memory, then waits
//   check PATH        ends with 0 if PATH exists
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string LinkTarget(const std::string& path) {
  char target[256];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length < 0 ? std::string("none") : std::string(target, static_cast<size_t>(length));
}

// Lines of "name value" about what the container looks like from inside.
std::string Facts(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  out << "uid " << getuid() << "\ngid " << getgid() << "\n";
  gid_t groups[64];
  const int count = getgroups(64, groups);
  out << "groups";
  for (int i = 0; i < count; ++i) out << " " << groups[i];
  char cwd[256] = "";
  if (getcwd(cwd, sizeof cwd) == nullptr) cwd[0] = 0;
  char hostname[256] = "";
  gethostname(hostname, sizeof hostname);
  out << "\ncwd " << cwd << "\nhostname " << hostname << "\nargs";
  for (const std::string& argument : arguments) out << " " << argument;
  out << "\n";
  for (char** entry = environ; *entry != nullptr; ++entry) out << "env " << *entry << "\n";
  for (const char* link : {"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"}) out << "link " << link << " " << LinkTarget(link) << "\n";
  for (const char* path : {"/dev/null", "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
                           "/dev/console", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/tmp"}) {
    struct stat status {};
    out << "stat " << path << " " << (stat(path, &status) == 0 ? "there" : "none") << "\n";
  }
  std::ofstream sysctl("/proc/sys/kernel/domainname");
  sysctl << "x" << std::flush;
  out << "sysctl " << (sysctl ? "writable" : "read-only") << "\n";
  char byte = 0;
  out << "stdin " << (read(0, &byte, 1) == 0 ? "eof" : "open") << "\n";
  std::istringstream status(ReadFile("/proc/self/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Seccomp:") || line.starts_with("NoNewPrivs:") || line.starts_with("CapEff:")) out << line << "\n";
  }
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const std::string limit = ReadFile(path);
    if (!limit.empty()) out << "memory " << limit;
  }
  const int made = mkdir("/sys/fs/cgroup/mine", 0755);
  out << "cgroup " << (made == 0 ? "writable" : "read-only") << "\n";
  return out.str();
}

void Touch(size_t megabytes) {
  for (size_t i = 0; i < megabytes; ++i) {
    char* block = static_cast<char*>(malloc(1 << 20));
    memset(block, 1, 1 << 20);
    fprintf(stdout, "%zu\n", i);
  }
}

void Answer(int client, const std::string& body, const char* status) {
  const std::string text = std::string("HTTP/1.1 ") + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\nConnection: close\r\n\r\n" + body;
  const ssize_t ignored = write(client, text.data(), text.size());
  (void)ignored;
}

std::string Target(const std::string& request) {
  const size_t start = request.find(' ');
  return start == std::string::npos ? "" : request.substr(start + 1, request.find(' ', start + 1) - start - 1);
}

int Serve(const std::vector<std::string>& arguments) {
  bool well = true;
  for (size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "--delay-ms") poll(nullptr, 0, std::atoi(arguments[++i].c_str()));
    if (arguments[i] == "--ignore-term") signal(SIGTERM, SIG_IGN);
  }
  const char* port = getenv("PORT");
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port == nullptr ? "8080" : port)));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 128) != 0) {
    perror("listen");
    return 9;
  }
  printf("listening\n");
  fflush(stdout);
  while (true) {
    const int client = accept(listener, nullptr, nullptr);
    char buffer[4096];
    const ssize_t got = read(client, buffer, sizeof buffer);
    const std::string target = got > 0 ? Target(std::string(buffer, static_cast<size_t>(got))) : "";
    if (target == "/facts") {
      Answer(client, Facts(arguments), "200 OK");
    } else if (target.starts_with("/file/")) {
      Answer(client, ReadFile(target.substr(5)), "200 OK");
    } else if (target.starts_with("/say/")) {
      printf("%s\n", target.substr(5).c_str());
      fflush(stdout);
      Answer(client, "said", "200 OK");
    } else if (target == "/hog") {
      Answer(client, "hog", "200 OK");
      Touch(100'000);
    } else if (target.starts_with("/exit/")) {
      exit(std::atoi(target.c_str() + 6));
    } else if (target == "/sicken") {
      well = false;
      Answer(client, "sick", "200 OK");
    } else if (target == "/health") {
      Answer(client, well ? "well" : "ill", well ? "200 OK" : "503 Service Unavailable");
    } else if (!target.empty()) {
      Answer(client, "ok", "200 OK");
    }
    close(client);
  }
}

}  // namespace

// As a container's first process it has no default action for SIGTERM.
void OnTerm(int) { _exit(0); }

int main(int count, char** values) {
  const std::vector<std::string> arguments(values, values + count);
  const std::string mode = count > 1 ? arguments[1] : "serve";
  signal(SIGTERM, OnTerm);
  if (mode == "serve") return Serve(arguments);
  if (mode == "exit") {
    if (count > 3) fprintf(stderr, "%s\n", values[3]);
    return std::atoi(values[2]);
  }
  if (mode == "hog") {
    Touch(static_cast<size_t>(std::atoi(values[2])));
    pause();
  }
  if (mode == "check") return access(values[2], F_OK) == 0 ? 0 : 1;
  return 64;
}
