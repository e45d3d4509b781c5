// A plugin of hook functions: `audit.write` keeps a diary of what the hub tells, `audit.stamp` notes in the
// metadata of every child through which node's hub it was started.
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>

#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>

namespace ph = processhub;

namespace {

/// The lines of all hubs of this process go to one file, each complete.
class Diary {
 public:
  void write(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (!file_.is_open()) {
      const char* path = std::getenv("AUDIT_FILE");
      file_.open(path != nullptr ? path : "audit.log", std::ios::app);
    }
    file_ << line << std::endl;  // somebody may be reading along
  }

 private:
  std::mutex mutex_{};
  std::ofstream file_{};
};

void write(const ph::HookSource& source, const ph::HookEvent& event) {
  static Diary diary;
  diary.write(source.hub_id + " " + ph::to_string(event));
}

void stamp(const ph::HookSource& source, ph::ChildSpec& spec) {
  spec.metadata["audited_by"] = source.hook_id;
}

void register_plugin(ph::PluginRegistry& registry) {
  registry.hooks.add("audit.write", write).add_alter("audit.stamp", stamp);
}

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
