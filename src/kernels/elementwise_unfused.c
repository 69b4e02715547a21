// Any CPU, without fused multiply-adds: 4 lanes.
#include "isa_portable.h"
typedef words integers;
#define NAME(function) function##_unfused
#include "elementwise_body.h"
