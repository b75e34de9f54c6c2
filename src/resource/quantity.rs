//! Quantities (`500m`, `1Gi`) as `k8s.io/apimachinery/pkg/api/resource` reads and writes them.
