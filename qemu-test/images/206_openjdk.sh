#!/bin/bash
# OpenJDK compiles and runs a source file; it sees the processors and the memory of its container.
# environment: shared
# deadline: 500

ordinary_push openjdk
pod_create java openjdk '["java", "/src/Hello.java"]' '{}' '{"resources": {"limits": {"memory": "512Mi", "cpu": "1"}}}'
await 400 "java has run" pod_is java .status.phase Succeeded
expect_match "its output" 'hello from Java [0-9]+ on 1 processors, heap of at most 12[0-9] MB' "$(pod_logs java)"
pod_remove java
