/** What is staged together, tried together. */
export const TENSORFLOW_VERSION = '2.21.0';
export const TFJS_NODE_VERSION = '4.22.0';
export const NODE_API_HEADERS_VERSION = '1.9.0';

/** Bytes needed in the engines folder: the wheel, the two libraries out of it, the npm packages. */
export const DISK_NEEDED = { cpu: 1.6e9, cuda: 8e9 };

/** Wheel platforms pip is asked for, newest first, by Node's `process.arch`. */
export const WHEEL_PLATFORMS: Record<string, string[]> = {
  x64: ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'],
  arm64: ['manylinux_2_27_aarch64', 'manylinux_2_17_aarch64', 'manylinux2014_aarch64'],
};

/** The wheel's machine part must be this machine's, or the libraries inside cannot be loaded. */
export const WHEEL_MACHINES: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };

export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** Names the addon links against, and the files they stand for. */
export const LIBRARY_LINKS: Record<string, string> = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

/** The headers the addon's two sources reach. */
export const HEADERS = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];
