#include "cxsmm.h"
