// The one include of a program that uses ProcessHub.
#pragma once

#include "processhub/child.hpp"
#include "processhub/client.hpp"
#include "processhub/config.hpp"
#include "processhub/future.hpp"
#include "processhub/hooks.hpp"
#include "processhub/hub.hpp"
#include "processhub/ids.hpp"
#include "processhub/message.hpp"
#include "processhub/metrics.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/topic.hpp"
#include "processhub/trace.hpp"
#include "processhub/worker.hpp"
