// Sorted keys of columns of float32 by the radix sorts of CUB, with the results of sorted_keys of the Triton backend.
//
// The interface is plain C, with addresses and a stream as arguments, and does not depend on torch.
// The order-preserving key of a value has 32 bits. An indexed key has it in its upper half and the row in its lower
// half; only the upper half is sorted, since radix sorts are stable.
#include <cstdint>

#include <cub/block/block_radix_sort.cuh>
#include <cub/device/device_segmented_radix_sort.cuh>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

namespace {

template <class Key>
constexpr int min_bit = sizeof(Key) == 8 ? 32 : 0;

// Order-preserving key: equal for −0 and 0, maximal for every NaN.
__device__ std::int32_t to_key(float value) {
  const std::int32_t bits = value == value ? __float_as_int(value + 0.0f) : 0x7fc00000;
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

__device__ void pack(float value, std::int64_t, std::int32_t& key) { key = to_key(value); }
__device__ void pack(float value, std::int64_t row, std::int64_t& key) {
  key = std::int64_t(to_key(value)) * (std::int64_t(1) << 32) | row;
}

template <class Key, int threads, int items>
__global__ void __launch_bounds__(threads) sort_in_block(const float* values, Key* keys, std::int64_t n) {
  using Sort = cub::BlockRadixSort<Key, threads, items>;
  extern __shared__ __align__(16) unsigned char shared[];
  values += blockIdx.x * n;
  keys += blockIdx.x * n;
  Key thread_keys[items];
  for (int i = 0; i < items; ++i) {
    const int row = threadIdx.x * items + i;
    thread_keys[i] = Key(~(Key(1) << (8 * sizeof(Key) - 1)));  // padding: the maximal key
    if (row < n) pack(values[row], row, thread_keys[i]);
  }
  Sort(*reinterpret_cast<typename Sort::TempStorage*>(shared))
      .SortBlockedToStriped(thread_keys, min_bit<Key>, 8 * sizeof(Key));
  for (int i = 0; i < items; ++i) {
    const int row = i * threads + threadIdx.x;
    if (row < n) keys[row] = thread_keys[i];
  }
}

template <class Key, int threads, int items>
cudaError_t launch(const float* values, Key* keys, std::int64_t columns, std::int64_t n, cudaStream_t stream) {
  using Storage = typename cub::BlockRadixSort<Key, threads, items>::TempStorage;
  const auto kernel = sort_in_block<Key, threads, items>;
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, sizeof(Storage));
  if (error != cudaSuccess) return error;
  kernel<<<unsigned(columns), threads, sizeof(Storage), stream>>>(values, keys, n);
  return cudaGetLastError();
}

constexpr std::int64_t max_rows_in_block = 8192;  // limited by the registers of a thread

template <class Key>
__global__ void pack_all(const float* values, Key* keys, std::int64_t count, std::int64_t n) {
  const std::int64_t i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) pack(values[i], i % n, keys[i]);
}

struct Start {
  std::int64_t n;
  __host__ __device__ std::int64_t operator()(std::int64_t column) const { return column * n; }
};

template <class Key>
cudaError_t sort_segments(void* workspace, std::size_t& bytes, cub::DoubleBuffer<Key>& keys, std::int64_t columns,
                          std::int64_t n, cudaStream_t stream) {
  const auto starts = thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0), Start{n});
  return cub::DeviceSegmentedRadixSort::SortKeys(workspace, bytes, keys, columns * n, columns, starts, starts + 1,
                                                 min_bit<Key>, 8 * int(sizeof(Key)), stream);
}

// The workspace is the second half of the double buffer, followed by the temporary storage of CUB.
template <class Key>
std::int64_t second_half(std::int64_t columns, std::int64_t n) {
  return (columns * n * std::int64_t(sizeof(Key)) + 255) / 256 * 256;
}

template <class Key>
std::int64_t workspace_bytes_of(std::int64_t columns, std::int64_t n) {
  if (n <= max_rows_in_block) return 0;
  std::size_t bytes = 0;
  cub::DoubleBuffer<Key> keys;
  if (sort_segments(nullptr, bytes, keys, columns, n, nullptr) != cudaSuccess) return -1;
  return second_half<Key>(columns, n) + std::int64_t(bytes);
}

template <class Key>
cudaError_t sort(const float* values, Key* keys, std::int64_t columns, std::int64_t n, char* workspace,
                 std::int64_t workspace_bytes, cudaStream_t stream) {
  if (n <= 1024) return launch<Key, 256, 4>(values, keys, columns, n, stream);
  if (n <= 2048) return launch<Key, 256, 8>(values, keys, columns, n, stream);
  if (n <= 4096) return launch<Key, 512, 8>(values, keys, columns, n, stream);
  if (n <= max_rows_in_block) return launch<Key, 512, 16>(values, keys, columns, n, stream);
  const std::int64_t count = columns * n;
  pack_all<<<unsigned((count + 255) / 256), 256, 0, stream>>>(values, keys, count, n);
  cub::DoubleBuffer<Key> both(keys, reinterpret_cast<Key*>(workspace));
  const std::int64_t half = second_half<Key>(columns, n);
  std::size_t bytes = workspace_bytes - half;
  const cudaError_t error = sort_segments(workspace + half, bytes, both, columns, n, stream);
  if (error != cudaSuccess || both.Current() == keys) return error;
  return cudaMemcpyAsync(keys, both.Current(), count * sizeof(Key), cudaMemcpyDeviceToDevice, stream);
}

}  // namespace

#define FASTLATENT_EXPORT extern "C" __attribute__((visibility("default")))

// Bytes of device memory that a sort of `columns` columns of n values needs; negative if CUDA fails.
FASTLATENT_EXPORT std::int64_t fastlatent_sort_workspace(std::int64_t columns, std::int64_t n, bool indexed) {
  return indexed ? workspace_bytes_of<std::int64_t>(columns, n) : workspace_bytes_of<std::int32_t>(columns, n);
}

// Launches the sort of values (columns, n) into keys, int64 if indexed, else int32. Returns null or an error message.
FASTLATENT_EXPORT const char* fastlatent_sort_columns(const float* values, void* keys, std::int64_t columns,
                                                      std::int64_t n, bool indexed, void* workspace,
                                                      std::int64_t workspace_bytes, cudaStream_t stream) {
  char* const work = static_cast<char*>(workspace);
  const cudaError_t error =
      indexed ? sort(values, static_cast<std::int64_t*>(keys), columns, n, work, workspace_bytes, stream)
              : sort(values, static_cast<std::int32_t*>(keys), columns, n, work, workspace_bytes, stream);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
