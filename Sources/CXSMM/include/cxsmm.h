#ifndef CXSMM_H
#define CXSMM_H
#endif
