// Driver API: streams and events. Work is done when it is given, or as late as it may be (stream_work.h).
#include <chrono>
#include <cstdio>

#include "driver_state.h"

using namespace infcl::emulator;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class F>
CUresult with_event(CUevent event, F f) {
  return with_context([&](CUctx_st&) {
    if (!state().events.count(event)) return failed(CUDA_ERROR_INVALID_HANDLE, "no such event");
    return f(*event);
  });
}

template <class F>
CUresult with_stream(CUstream stream, F f) {
  return with_context([&](CUctx_st& context) {
    if (stream && !state().streams.count(stream)) return failed(CUDA_ERROR_INVALID_HANDLE, "no such stream");
    return f(context);
  });
}

std::string text_of(const void* handle) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", handle);
  return text;
}

void log_event(const char* what, CUevent event, CUstream stream) {
  log_work(what, text_of(event), stream);
  state().event_log += std::string(what) + " " + text_of(event) + " on " + text_of(stream) + "\n";
}

CUresult finish(CUctx_st& context, StreamWork::Mark mark) {
  state().work.finish(mark);
  return context.sticky;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  return with_context([&](CUctx_st& context) {
    auto created = std::make_unique<CUstream_st>(CUstream_st{context.ordinal});
    *stream = created.get();
    state().streams[*stream] = std::move(created);
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().work.finish(stream);
  if (state().streams.erase(stream) == 0) return failed(CUDA_ERROR_INVALID_HANDLE, "no such stream");
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuStreamSynchronize(CUstream stream) {
  return with_stream(stream, [&](CUctx_st& context) {
    log_work("await", "all", stream);
    return finish(context, state().work.mark(stream));
  });
}

CUresult cuStreamQuery(CUstream stream) {  // the caller waits
  return with_stream(stream, [&](CUctx_st& context) { return finish(context, state().work.mark(stream)); });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return with_stream(stream, [&](CUctx_st& context) {
    return with_event(event, [&](CUevent_st& e) {
      log_event("wait for", event, stream);
      return give_work(context, stream, [mark = e.mark](CUctx_st&) {
        state().work.finish(mark);
        return CUDA_SUCCESS;
      });
    });
  });
}

CUresult cuEventCreate(CUevent* event, unsigned) {
  return with_context([&](CUctx_st& context) {
    auto created = std::make_unique<CUevent_st>();
    created->device = context.ordinal;
    *event = created.get();
    state().events[*event] = std::move(created);
    return CUDA_SUCCESS;
  });
}

CUresult cuEventDestroy_v2(CUevent event) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  if (state().events.erase(event) == 0) return failed(CUDA_ERROR_INVALID_HANDLE, "no such event");
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  return with_stream(stream, [&](CUctx_st&) {
    return with_event(event, [&](CUevent_st& e) {
      log_event("record", event, stream);
      e.recorded = true;
      e.seconds = now();
      e.mark = state().work.mark(stream);
      return CUDA_SUCCESS;
    });
  });
}

CUresult cuEventQuery(CUevent event) {  // the caller waits
  return with_context([&](CUctx_st& context) {
    return with_event(event, [&](CUevent_st& e) { return finish(context, e.mark); });
  });
}

CUresult cuEventSynchronize(CUevent event) {
  return with_context([&](CUctx_st& context) {
    return with_event(event, [&](CUevent_st& e) {
      log_work("await", text_of(event), e.mark.stream);
      return finish(context, e.mark);
    });
  });
}

#undef cuEventElapsedTime
CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent begin, CUevent end) {
  return with_event(begin, [&](CUevent_st& b) {
    return with_event(end, [&](CUevent_st& e) {
      if (!b.recorded || !e.recorded) return failed(CUDA_ERROR_INVALID_HANDLE, "an event was never recorded");
      *milliseconds = static_cast<float>((e.seconds - b.seconds) * 1e3);
      return CUDA_SUCCESS;
    });
  });
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent begin, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, begin, end);
}

}  // extern "C"
#pragma GCC visibility pop
