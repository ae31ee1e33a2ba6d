#include "binding/failure.h"

#include <new>

#include "core/errors.h"

namespace infcl::binding {

Failure describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const RequestError& e) {
    return e.failure();
  } catch (const Error& e) {
    return {error_code_name(e.code()), e.what()};
  } catch (const std::bad_alloc&) {
    return {error_code_name(ErrorCode::kOutOfMemory),
            "[allocate] the system refused the memory this call needs"};
  } catch (const std::exception& e) {
    return {error_code_name(ErrorCode::kInternal), e.what()};
  } catch (...) {
    return {error_code_name(ErrorCode::kInternal), "an exception that is not a std::exception"};
  }
}

Napi::Error to_js_error(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  Napi::Object object = error.Value();
  define(object, "code", failure.code);
  return error;
}

}  // namespace infcl::binding
