// Any CPU, without fused multiply-adds: two roundings where the other bodies have one.
#include "isa_portable.h"
#define NAME(function) function##_unfused
#include "product_body.h"
