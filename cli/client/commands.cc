#include "cli/client/commands.h"

#include <functional>
#include <iostream>
#include <memory>

#include "cli/client/image.h"
#include "cli/client/verbs.h"
#include "cli/platform/config.h"
#include "core/api/duration.h"

namespace updraft::cli {
namespace {

// What CLI11 writes into while it parses; shared by the callbacks.
struct Parsed {
  AddressFlags address{};
  std::string namespace_name{};
  ApplyOptions apply{};
  WriteOptions write{};
  DiffOptions diff{};
  EditOptions edit{};
  ExplainOptions explain{};
  GetOptions get{};
  DescribeOptions describe{};
  DeleteOptions remove{};
  PatchOptions patch{};
  MarkOptions mark{};
  DrainOptions drain{};
  WaitOptions wait{};
  LogsOptions logs{};
  std::string agent = "unix:" + PlatformPaths(PlatformConfig()).agent_socket;
  std::string image{};
  std::string image_name{};
};
using Shared = std::shared_ptr<Parsed>;
using Verb = std::function<int(const Session&)>;

Console ThisConsole() { return {std::cin, std::cout, std::cerr}; }

int WithSession(const Parsed& parsed, const Verb& verb) {
  const Console console = ThisConsole();
  const Result<ApiAddress> address = FindApi(parsed.address);
  if (!address) return Fail(console, address.error());
  RestClient client(*address, [&](const std::string& warning) {
    console.err << "Warning: " << warning << std::endl;
  });
  const bool given = !parsed.namespace_name.empty();
  return verb({client, given ? parsed.namespace_name : address->namespace_name, given, console});
}

// Adds a verb with the flags that all of them have.
CLI::App* AddVerb(CLI::App& app, const std::string& name, const std::string& help,
                  const Shared& parsed) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("--server", parsed->address.server, "The API's URL, instead of a kubeconfig");
  verb->add_option("--kubeconfig", parsed->address.kubeconfig,
                   "File that names the API; else $KUBECONFIG, then the kubeconfig of a platform here");
  verb->add_option("--state", parsed->address.state, "Folder given to up, whose kubeconfig comes before $KUBECONFIG");
  verb->add_option("-n,--namespace", parsed->namespace_name, "Namespace of the objects");
  return verb;
}

// Anything that a duration is assigned to.
void AddDuration(CLI::App* verb, const std::string& flag, const std::string& help,
                 std::function<void(Nanos)> assign) {
  verb->add_option_function<std::string>(
          flag,
          [assign = std::move(assign)](const std::string& text) {
            assign(*api::ParseGoDuration(text));
          },
          help)
      ->check([](const std::string& text) {
        return api::ParseGoDuration(text) ? std::string()
                                          : "\"" + text + "\": use a duration such as 90s or 2m";
      });
}

void AddTimeout(CLI::App* verb, Nanos& timeout) {
  AddDuration(verb, "--timeout",
              "How long to wait, such as 90s; " + api::FormatGoDuration(timeout) + " unless said",
              [&timeout](Nanos value) { timeout = value; });
}

void AddManifests(CLI::App* verb, ManifestQuery& query, const std::string& help) {
  verb->add_option("-f,--filename", query.sources, help);
  verb->add_flag("-R,--recursive", query.recursive, "Into folders within folders");
}

void AddApply(CLI::App& app, const Shared& parsed, int& exit_code) {
  ApplyOptions& options = parsed->apply;
  CLI::App* verb = AddVerb(app, "apply", "Create or change objects as manifests say", parsed);
  AddManifests(verb, options.manifests, "Files, folders, URLs, or - for standard input");
  verb->get_option("-f")->required();
  verb->add_flag("--wait", options.wait, "Wait until what was applied is ready");
  verb->add_flag("--dry-run", options.dry_run, "Let the server check, and store nothing");
  verb->add_flag("--server-side", options.server_side,
                 "Let the server merge, by who owns which field");
  verb->add_flag("--force-conflicts", options.force_conflicts, "Take fields over from their owners")
      ->needs("--server-side");
  verb->add_option("--field-manager", options.field_manager, "Who owns what is applied")
      ->needs("--server-side");
  AddTimeout(verb, options.timeout);
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Apply(session, parsed->apply); });
  });
}

void AddWrites(CLI::App& app, const Shared& parsed, int& exit_code) {
  const auto add = [&](const std::string& name, const std::string& help, ManifestQuery& query,
                       Verb run) {
    CLI::App* verb = AddVerb(app, name, help, parsed);
    AddManifests(verb, query, "Files, folders, URLs, or - for standard input");
    verb->get_option("-f")->required();
    verb->callback(
        [parsed, run = std::move(run), &exit_code] { exit_code = WithSession(*parsed, run); });
    return verb;
  };
  const auto add_write = [&](const std::string& name, const std::string& help, auto run) {
    CLI::App* verb =
        add(name, help, parsed->write.manifests,
            [parsed, run](const Session& session) { return run(session, parsed->write); });
    verb->add_flag("--dry-run", parsed->write.dry_run, "Let the server check, and store nothing");
  };
  add_write("create", "Create objects that are not there yet", Create);
  add_write("replace", "Replace objects with what manifests say", Replace);
  add("diff", "Show what apply would change", parsed->diff.manifests,
      [parsed](const Session& session) { return Diff(session, parsed->diff); });
}

void AddEdit(CLI::App& app, const Shared& parsed, int& exit_code) {
  CLI::App* verb = AddVerb(app, "edit", "Change objects by hand, in an editor", parsed);
  verb->add_option("resources", parsed->edit.resources, "KIND NAME... or KIND/NAME...")->required();
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Edit(session, parsed->edit); });
  });
}

void AddExplain(CLI::App& app, const Shared& parsed, int& exit_code) {
  CLI::App* verb = AddVerb(app, "explain", "Say what a kind's fields are for", parsed);
  verb->add_option("what", parsed->explain.what, "KIND[.FIELD...], such as ksvc.spec.template")
      ->required();
  verb->add_flag("--recursive", parsed->explain.recursive,
                 "All fields below, without what they are for");
  verb->callback([parsed, &exit_code] {
    exit_code = WithSession(
        *parsed, [&](const Session& session) { return Explain(session, parsed->explain); });
  });
}

void AddGet(CLI::App& app, const Shared& parsed, int& exit_code) {
  GetOptions& options = parsed->get;
  CLI::App* verb = AddVerb(app, "get", "Show objects", parsed);
  verb->add_option("resources", options.resources, "KIND[,KIND...], KIND NAME... or KIND/NAME...")
      ->required();
  verb->add_option("-o,--output", options.output, "wide, yaml, json or name")
      ->check(CLI::IsMember({"wide", "yaml", "json", "name"}));
  verb->add_option("-l,--selector", options.selector, "Labels, such as app=x");
  verb->add_flag("-A,--all-namespaces", options.all_namespaces, "Of all namespaces");
  verb->add_flag("-w,--watch", options.watch, "Go on with each change");
  verb->add_flag("!--no-headers", options.headers, "Rows alone");
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Get(session, parsed->get); });
  });
}

void AddDescribe(CLI::App& app, const Shared& parsed, int& exit_code) {
  CLI::App* verb = AddVerb(app, "describe", "Show objects with their events, for people", parsed);
  verb->add_option("resources", parsed->describe.resources, "KIND, KIND NAME... or KIND/NAME...")
      ->required();
  verb->add_option("-l,--selector", parsed->describe.selector, "Labels, such as app=x");
  verb->callback([parsed, &exit_code] {
    exit_code = WithSession(*parsed, [&](const Session& session) {
      return DescribeResources(session, parsed->describe);
    });
  });
}

void AddPatch(CLI::App& app, const Shared& parsed, int& exit_code) {
  PatchOptions& options = parsed->patch;
  CLI::App* verb = AddVerb(app, "patch", "Change fields of objects", parsed);
  verb->add_option("resources", options.resources, "KIND NAME... or KIND/NAME...")->required();
  verb->add_option("-p,--patch", options.patch, "The patch, JSON or YAML")->required();
  verb->add_option("--type", options.type, "merge, json, or strategic for core kinds")
      ->capture_default_str()
      ->check(CLI::IsMember({"json", "merge", "strategic"}));
  verb->add_flag("--dry-run", options.dry_run, "Let the server check, and store nothing");
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Patch(session, parsed->patch); });
  });
}

void AddMark(CLI::App& app, const std::string& name, MarkField field, const Shared& parsed,
             int& exit_code) {
  const std::string what = field == MarkField::kLabels ? "labels" : "annotations";
  CLI::App* verb = AddVerb(app, name, "Set " + what + " of objects", parsed);
  verb->add_option("arguments", parsed->mark.arguments,
                   "KIND NAME... KEY=VALUE..., and KEY- to remove one")
      ->required();
  verb->add_flag("--overwrite", parsed->mark.overwrite, "Values that are there may change");
  verb->callback([parsed, field, &exit_code] {
    exit_code = WithSession(
        *parsed, [&](const Session& session) { return Mark(session, field, parsed->mark); });
  });
}

void AddNodeVerbs(CLI::App& app, const Shared& parsed, int& exit_code) {
  const auto add = [&](const std::string& name, const std::string& help,
                       std::function<int(const Session&)> run) {
    CLI::App* verb = AddVerb(app, name, help, parsed);
    verb->add_option("nodes", parsed->drain.nodes, "Names of nodes")->required();
    verb->callback(
        [parsed, run = std::move(run), &exit_code] { exit_code = WithSession(*parsed, run); });
    return verb;
  };
  add("cordon", "Give a node no more instances", [parsed](const Session& session) {
    return Cordon(session, parsed->drain.nodes, Schedulable::kNo);
  });
  add("uncordon", "Give a node instances again", [parsed](const Session& session) {
    return Cordon(session, parsed->drain.nodes, Schedulable::kYes);
  });
  CLI::App* drain = add("drain", "Cordon a node and move its instances elsewhere",
                        [parsed](const Session& session) { return Drain(session, parsed->drain); });
  AddTimeout(drain, parsed->drain.timeout);
}

void AddDelete(CLI::App& app, const Shared& parsed, int& exit_code) {
  DeleteOptions& options = parsed->remove;
  CLI::App* verb = AddVerb(app, "delete", "Delete objects", parsed);
  verb->add_option("resources", options.resources, "KIND NAME... or KIND/NAME...");
  AddManifests(verb, options.manifests, "What these manifests name");
  verb->add_option("-l,--selector", options.selector, "Labels, such as app=x");
  verb->add_flag("--all", options.all, "All of the kind, in the namespace");
  verb->add_option("--cascade", options.cascade, "background, foreground or orphan")
      ->capture_default_str()
      ->check(CLI::IsMember({"background", "foreground", "orphan"}));
  verb->add_flag("--wait,!--no-wait", options.wait, "Wait until they are gone (the default)");
  verb->add_flag("--ignore-not-found", options.ignore_not_found,
                 "What is gone already is no error");
  AddTimeout(verb, options.timeout);
  verb->callback([parsed, &exit_code] {
    exit_code = WithSession(
        *parsed, [&](const Session& session) { return Delete(session, parsed->remove); });
  });
}

void AddWait(CLI::App& app, const Shared& parsed, int& exit_code) {
  WaitOptions& options = parsed->wait;
  CLI::App* verb = AddVerb(app, "wait", "Wait until objects are as wished", parsed);
  verb->add_option("resources", options.resources, "KIND, KIND NAME... or KIND/NAME...")
      ->required();
  verb->add_option("--for", options.wish, "condition=TYPE, condition=TYPE=STATUS or delete")
      ->required();
  verb->add_option("-l,--selector", options.selector, "Labels, such as app=x");
  AddTimeout(verb, options.timeout);
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Wait(session, parsed->wait); });
  });
}

void AddLogs(CLI::App& app, const Shared& parsed, int& exit_code) {
  LogsOptions& options = parsed->logs;
  CLI::App* verb = AddVerb(app, "logs", "Show what an instance has printed", parsed);
  verb->add_option("target", options.target, "POD, or ksvc/NAME, rev/NAME for the newest instance")
      ->required();
  verb->add_option("-c,--container", options.container, "When it has several");
  verb->add_flag("-f,--follow", options.follow,
                 "Go on with what comes; of a service, over all its instances to come");
  verb->add_option("--tail", options.tail, "The last lines alone")->check(CLI::NonNegativeNumber);
  verb->add_option("--limit-bytes", options.bytes_max, "No more than this")
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--timestamps", options.timestamps, "Each line with its time");
  verb->add_flag("-p,--previous", options.previous, "Of the container's previous run");
  AddDuration(verb, "--since", "What is no older, such as 5m",
              [&options](Nanos since) { options.since = since; });
  verb->callback([parsed, &exit_code] {
    exit_code =
        WithSession(*parsed, [&](const Session& session) { return Logs(session, parsed->logs); });
  });
}

void AddImage(CLI::App& app, const Shared& parsed, int& exit_code) {
  CLI::App* image = app.add_subcommand("image", "Images of this machine")->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& help) {
    CLI::App* verb = image->add_subcommand(name, help);
    verb->add_option("--agent", parsed->agent, "Where the node-agent is")->capture_default_str();
    return verb;
  };
  CLI::App* load = add("load", "Load an OCI or docker archive");
  load->add_option("file", parsed->image, "The archive, or - for standard input")->required();
  load->add_option("--name", parsed->image_name, "Name it so, whatever the archive says");
  load->callback([parsed, &exit_code] {
    exit_code = LoadImage(ThisConsole(), parsed->agent, {parsed->image, parsed->image_name});
  });
  add("list", "List images")->callback([parsed, &exit_code] {
    exit_code = ListImages(ThisConsole(), parsed->agent);
  });
  CLI::App* remove = add("rm", "Remove an image");
  remove->add_option("reference", parsed->image, "As `image list` shows it")->required();
  remove->callback([parsed, &exit_code] {
    exit_code = RemoveImage(ThisConsole(), parsed->agent, parsed->image);
  });
}

}  // namespace

void AddClientCommands(CLI::App& app, const std::string& kubeconfig_environment, int& exit_code) {
  const auto parsed = std::make_shared<Parsed>();
  parsed->address.kubeconfig_variable = kubeconfig_environment;
  AddApply(app, parsed, exit_code);
  AddWrites(app, parsed, exit_code);
  AddEdit(app, parsed, exit_code);
  AddExplain(app, parsed, exit_code);
  AddGet(app, parsed, exit_code);
  AddDescribe(app, parsed, exit_code);
  AddPatch(app, parsed, exit_code);
  AddMark(app, "label", MarkField::kLabels, parsed, exit_code);
  AddMark(app, "annotate", MarkField::kAnnotations, parsed, exit_code);
  AddNodeVerbs(app, parsed, exit_code);
  AddDelete(app, parsed, exit_code);
  AddWait(app, parsed, exit_code);
  AddLogs(app, parsed, exit_code);
  AddImage(app, parsed, exit_code);
}

}  // namespace updraft::cli
