// The one macro that decides what libprocesshub.so exports.
#pragma once

#if defined(__GNUC__)
#define PROCESSHUB_API __attribute__((visibility("default")))
#else
#define PROCESSHUB_API
#endif
