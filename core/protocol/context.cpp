#include "core/protocol/context.hpp"

namespace processhub::protocol {

template <class E>
void Context::emit(E effect) {
  fx->emplace_back(std::move(effect));
}

template <class H>
void Context::hook(H event) {
  fx->emplace_back(effect::RunHook{HookEvent(std::move(event))});
}

void Context::log(LogPart part, LogLevel level, std::string text) {
  fx->emplace_back(effect::Log{part, level, std::move(text), {}});
}

std::string seconds_text(Duration time) {
  const auto tenths = (time + std::chrono::milliseconds(50)) / std::chrono::milliseconds(100);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

template void Context::emit(effect::Connect);
template void Context::emit(effect::Disconnect);
template void Context::emit(effect::Subscribe);
template void Context::emit(effect::Unsubscribe);
template void Context::emit(effect::SendLink);
template void Context::emit(effect::SendRoute);
template void Context::emit(effect::Publish);
template void Context::emit(effect::StartWorker);
template void Context::emit(effect::StopWorker);
template void Context::emit(effect::SetRole);
template void Context::emit(effect::FreezeWorker);
template void Context::emit(effect::CancelFreeze);
template void Context::emit(effect::MergeState);
template void Context::emit(effect::ResumeWorker);
template void Context::emit(effect::Post);
template void Context::emit(effect::DirectWay);
template void Context::emit(effect::CloseGates);
template void Context::emit(effect::OpenGates);
template void Context::emit(effect::MeasureLoad);
template void Context::emit(effect::CompleteStart);
template void Context::emit(effect::CompleteStop);
template void Context::emit(effect::CompleteCall);
template void Context::emit(effect::CompleteVoid);
template void Context::emit(effect::CompleteLock);
template void Context::emit(effect::UserEvent);
template void Context::emit(effect::TopicDelivery);
template void Context::emit(effect::Log);
template void Context::emit(effect::AdminQuery);
template void Context::emit(effect::Terminate);

template void Context::hook(hook::PreClusterJoin);
template void Context::hook(hook::PostClusterJoin);
template void Context::hook(hook::PreClusterLeave);
template void Context::hook(hook::PostClusterLeave);
template void Context::hook(hook::RegistryInserted);
template void Context::hook(hook::RegistryRemoved);
template void Context::hook(hook::PreChildrenRedistribution);
template void Context::hook(hook::ChildrenMigrated);
template void Context::hook(hook::ForwardedMigration);
template void Context::hook(hook::PriorityChanged);
template void Context::hook(hook::PreRedistribution);
template void Context::hook(hook::PostRedistribution);
template void Context::hook(hook::PreChildrenStart);
template void Context::hook(hook::ChildrenStarted);
template void Context::hook(hook::PostChildrenStart);
template void Context::hook(hook::ChildRestarted);
template void Context::hook(hook::ChildFailed);
template void Context::hook(hook::ChildConflict);
template void Context::hook(hook::QuorumLost);
template void Context::hook(hook::QuorumRegained);
template void Context::hook(hook::NodeSuspected);
template void Context::hook(hook::DeadLetter);
template void Context::hook(hook::HubShutdown);

}  // namespace processhub::protocol
