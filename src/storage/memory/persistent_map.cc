#include "storage/memory/persistent_map.h"

#include "base/crc32c.h"

namespace pando::storage {

PersistentMap::Tree PersistentMap::make(std::shared_ptr<const Entry> entry, Tree left, Tree right) {
  const std::size_t size = size_of(left) + 1 + size_of(right);
  return std::make_shared<const Node>(Node{std::move(entry), size, std::move(left), std::move(right)});
}

PersistentMap::Tree PersistentMap::join(const Tree& left, const Tree& right) {
  if (!left || !right) {
    return left ? left : right;
  }
  if (left->entry->priority >= right->entry->priority) {
    return make(left->entry, left->left, join(left->right, right));
  }
  return make(right->entry, join(left, right->left), right->right);
}

void PersistentMap::split(const Tree& tree, ByteView key, Tree& less, Tree& rest) const {
  if (!tree) {
    less = nullptr;
    rest = nullptr;
    return;
  }
  Tree middle;
  if (compare_(tree->entry->key, key) < 0) {
    split(tree->right, key, middle, rest);
    less = make(tree->entry, tree->left, std::move(middle));
  } else {
    split(tree->left, key, less, middle);
    rest = make(tree->entry, std::move(middle), tree->right);
  }
}

PersistentMap::Tree PersistentMap::put_into(const Tree& tree, const std::shared_ptr<const Entry>& entry) const {
  if (!tree) {
    return make(entry, nullptr, nullptr);
  }
  const int order = compare_(entry->key, tree->entry->key);
  if (order == 0) {
    return make(entry, tree->left, tree->right);
  }
  if (entry->priority > tree->entry->priority) {
    // A node of this key would have been met above its priority, so the split cannot lose it.
    Tree less;
    Tree rest;
    split(tree, entry->key, less, rest);
    return make(entry, std::move(less), std::move(rest));
  }
  return order < 0 ? make(tree->entry, put_into(tree->left, entry), tree->right)
                   : make(tree->entry, tree->left, put_into(tree->right, entry));
}

PersistentMap::Tree PersistentMap::erase_from(const Tree& tree, ByteView key) const {
  if (!tree) {
    return tree;
  }
  const int order = compare_(key, tree->entry->key);
  if (order == 0) {
    return join(tree->left, tree->right);
  }
  return order < 0 ? make(tree->entry, erase_from(tree->left, key), tree->right)
                   : make(tree->entry, tree->left, erase_from(tree->right, key));
}

void PersistentMap::put(ByteView key, ByteView value) {
  const auto entry = std::make_shared<const Entry>(Entry{Bytes(key), Bytes(value), crc32c(key)});
  root_ = put_into(root_, entry);
}

void PersistentMap::erase(ByteView key) {
  if (find(key) != nullptr) {
    root_ = erase_from(root_, key);
  }
}

void PersistentMap::erase_range(ByteView start, ByteView end) {
  Tree less;
  Tree rest;
  split(root_, start, less, rest);
  if (end.empty()) {
    root_ = std::move(less);
    return;
  }
  Tree inside;
  Tree after;
  split(rest, end, inside, after);
  root_ = join(less, after);
}

const Bytes* PersistentMap::find(ByteView key) const {
  for (const Node* node = root_.get(); node != nullptr;) {
    const int order = compare_(key, node->entry->key);
    if (order == 0) {
      return &node->entry->value;
    }
    node = order < 0 ? node->left.get() : node->right.get();
  }
  return nullptr;
}

PersistentMap::Walk PersistentMap::lower_bound(ByteView key) const {
  Walk walk(root_);
  std::size_t depth = 0;
  for (const Node* node = root_.get(); node != nullptr;) {
    walk.path_.push_back(node);
    if (compare_(node->entry->key, key) >= 0) {
      depth = walk.path_.size();
      node = node->left.get();
    } else {
      node = node->right.get();
    }
  }
  walk.path_.resize(depth);
  return walk;
}

PersistentMap::Walk PersistentMap::last_before(ByteView key) const {
  Walk walk(root_);
  std::size_t depth = 0;
  for (const Node* node = root_.get(); node != nullptr;) {
    walk.path_.push_back(node);
    if (compare_(node->entry->key, key) < 0) {
      depth = walk.path_.size();
      node = node->right.get();
    } else {
      node = node->left.get();
    }
  }
  walk.path_.resize(depth);
  return walk;
}

PersistentMap::Walk PersistentMap::last() const {
  Walk walk(root_);
  for (const Node* node = root_.get(); node != nullptr; node = node->right.get()) {
    walk.path_.push_back(node);
  }
  return walk;
}

void PersistentMap::Walk::next() {
  const Node* node = path_.back();
  if (node->right) {
    for (node = node->right.get(); node != nullptr; node = node->left.get()) {
      path_.push_back(node);
    }
    return;
  }
  for (path_.pop_back(); !path_.empty() && path_.back()->right.get() == node; path_.pop_back()) {
    node = path_.back();
  }
}

void PersistentMap::Walk::previous() {
  const Node* node = path_.back();
  if (node->left) {
    for (node = node->left.get(); node != nullptr; node = node->right.get()) {
      path_.push_back(node);
    }
    return;
  }
  for (path_.pop_back(); !path_.empty() && path_.back()->left.get() == node; path_.pop_back()) {
    node = path_.back();
  }
}

}  // namespace pando::storage
